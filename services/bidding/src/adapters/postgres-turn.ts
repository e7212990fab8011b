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
const END_MS = 1000;
/** How often the one that holds it is made sure of. */
const BEAT_MS = 3000;

export function postgresTurn(url: string, logger: Logger): Turn {
  return {
    async take(signal) {
      for (let failures = 0; ; failures += 1) {
        signal.throwIfAborted();
        const line = new Line(url);
        try {
          await line.open();
          while (!(await line.tryLock())) await pause(signal);
          signal.throwIfAborted();
          line.watch();
          return { lost: line.lost, end: () => line.end() };
        } catch (error) {
          await line.end();
          signal.throwIfAborted();
          if (failures === 0) {
            logger.warn({ err: error }, "whose turn it is to archive cannot be told; trying on");
          }
        }
        await pause(signal);
      }
    },
  };
}

/** @throws the signal's reason */
async function pause(signal: AbortSignal): Promise<void> {
  await sleep(ASK_MS, undefined, { signal }).catch(() => {});
  signal.throwIfAborted();
}

class Line {
  readonly #client: pg.Client;
  readonly #lost = new AbortController();
  #beat: NodeJS.Timeout | undefined;

  constructor(url: string) {
    this.#client = new pg.Client({
      connectionString: url,
      application_name: "archiver's turn",
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    this.#client.on("error", (error) => this.#gone(error)).on("end", () => this.#gone());
  }

  /** Aborts when the connection is gone. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async open(): Promise<void> {
    await this.#client.connect();
    // The server's default is two hours, for which it would hold the lock of an archiver whose machine is gone.
    await this.#client.query(
      "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3",
    );
  }

  async tryLock(): Promise<boolean> {
    const { rows } = await this.#client.query("select pg_try_advisory_lock(hashtext($1)) as held", [LOCK]);
    return rows[0]?.held === true;
  }

  /** From now on it is asked for a sign of life: a machine that goes away may not say so, and nothing else is sent here. */
  watch(): void {
    const beat = async () => {
      try {
        await this.#client.query("select 1");
        if (!this.lost.aborted) this.#beat = setTimeout(beat, BEAT_MS);
      } catch (error) {
        this.#gone(error);
      }
    };
    this.#beat = setTimeout(beat, BEAT_MS);
  }

  /** Waits a second at the most; the lock goes with the process otherwise. */
  async end(): Promise<void> {
    clearTimeout(this.#beat);
    const closed = this.#client.end().catch(() => {});
    await Promise.race([closed, sleep(END_MS, undefined, { ref: false })]);
    this.#gone();
  }

  #gone(cause?: unknown): void {
    clearTimeout(this.#beat);
    this.#lost.abort(new Error("The connection that holds the archiver's lock is lost", { cause }));
  }
}
