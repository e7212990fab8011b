/**
 * Whose turn it is to archive, by an advisory lock of Postgres: it is held by a connection of its own and goes with it, however that
 * ends. Should two ever hold themselves to be the one, what they write is there once all the same.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@parallax/service";
import pg from "pg";
import type { Turn } from "../domain/archiving.ts";

const LOCK = "bidding archiver";
const ANSWER_MS = 5000;
/** How often one who stands by asks. */
const ASK_MS = 1000;

export function postgresTurn(url: string, logger: Logger): Turn {
  /** A connection that has the lock; undefined where another one has it. */
  async function attempt() {
    const lost = new AbortController();
    const client = new pg.Client({
      connectionString: url,
      application_name: "archiver's turn",
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const gone = (cause?: unknown) =>
      lost.abort(new Error("The connection that holds the archiver's lock is lost", { cause }));
    client.on("error", gone).on("end", () => gone());
    // It is asked to close in order; should it not answer, its socket is closed all the same.
    const end = async () => {
      const closed = client.end().catch(() => {});
      await Promise.race([closed, sleep(1000, undefined, { ref: false })]);
    };
    try {
      await client.connect();
      const { rows } = await client.query("select pg_try_advisory_lock(hashtext($1)) as held", [LOCK]);
      if (rows[0]?.held) return { lost: lost.signal, end };
    } catch (error) {
      await end();
      throw error;
    }
    await end();
    return undefined;
  }

  return {
    async take(signal) {
      for (let failures = 0; ; ) {
        signal.throwIfAborted();
        try {
          const taken = await attempt();
          if (taken && signal.aborted) await taken.end();
          else if (taken) return taken;
          failures = 0;
        } catch (error) {
          if (failures === 0)
            logger.warn({ err: error }, "whose turn it is to archive cannot be told; trying on");
          failures += 1;
        }
        await sleep(ASK_MS, undefined, { signal }).catch(() => {});
      }
    },
  };
}
