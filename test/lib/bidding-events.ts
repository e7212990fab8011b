/** Bids on real servers and their way into the archive: the relay in this process, the archiver as one of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUIDv7 } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { openPool } from "@parallax/postgres";
import { createMetrics } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { jetStreamPublisher } from "../../services/bidding/src/adapters/jetstream-publisher.ts";
import { NatsLink } from "../../services/bidding/src/adapters/nats.ts";
import { redisAuctions } from "../../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../../services/bidding/src/adapters/redis-connection.ts";
import { redisLease, redisOutbox } from "../../services/bidding/src/adapters/redis-outbox.ts";
import type { Bid } from "../../services/bidding/src/domain/auction.ts";
import { createRelayMetrics } from "../../services/bidding/src/gateway/relay/metrics.ts";
import { startRelay } from "../../services/bidding/src/gateway/relay/relay.ts";
import { keptInPostgres } from "../../services/bidding/test/contract/kept-in-postgres.ts";

export interface Urls {
  readonly redis: string;
  readonly nats: string;
  readonly postgres: string;
}

/** Short, so that events can be published again beyond it. */
const DEDUPE_SECONDS = 1;
const STALE_MS = 3000;
const MAIN = fileURLToPath(new URL("../../services/bidding/src/archiver/main.ts", import.meta.url));

/** Everything made by it is ended with `t`. */
export async function biddingEvents(t: Test, urls: Urls) {
  const connect = (name: string, autoPipelining: boolean) => {
    const redis = connectRedis({ url: urls.redis, name, autoPipelining }, silentLogger());
    t.teardown(() => redis.disconnect());
    return redis;
  };
  const [bids, reader, control] = [connect("bids", true), connect("reader", false), connect("relay", false)];
  const link = new NatsLink({ url: urls.nats, name: "test", logger: silentLogger() });
  t.teardown(() => link[Symbol.asyncDispose]());
  const pool = openPool({ url: urls.postgres, poolSize: 2, applicationName: "test" }, silentLogger());
  t.teardown(() => pool.end());
  await waitFor("Redis", () => [bids, reader, control].every(({ status }) => status === "ready"));
  const auctions = redisAuctions(bids, { mostUnarchived: 1_000_000 });
  const outbox = redisOutbox(reader, control);
  const publisher = jetStreamPublisher(link, { dedupeSeconds: DEDUPE_SECONDS });

  return {
    link,

    publisher,
    outbox,
    kept: keptInPostgres(pool),
    unarchived: async () => (await outbox.state()).length,
    /** An auction, and what is bid on it: each bid is accepted, and told with its `seq`. */
    async auction() {
      const auctionId = randomUUIDv7();
      const endsAt = Date.now() + 3_600_000;
      await auctions.create({ auctionId, item: "a lamp", startingPrice: 1, minIncrement: 1, endsAt });
      let amount = 0;
      return {
        auctionId,
        async bid(count: number): Promise<(Bid & { seq: number })[]> {
          const given = Array.from({ length: count }, (_, at) => {
            const bid = {
              auctionId,
              bidId: randomUUIDv7(),
              bidderId: `bidder ${at}`,
              amount: amount + at + 1,
            };
            return bid;
          });
          amount += count;
          const outcomes = await Promise.all(given.map((bid) => auctions.bid(bid, true)));
          return given.flatMap((bid, at) => {
            const outcome = outcomes[at];
            return outcome?.kind === "accepted" ? [{ ...bid, seq: outcome.seq }] : [];
          });
        },
      };
    },
    relay() {
      const relay = startRelay({
        outbox,
        publisher,
        lease: redisLease(control),
        logger: silentLogger(),
        metrics: createRelayMetrics(createMetrics("test")),
        mostInFlight: 1024,
        staleMs: STALE_MS,
        lookMs: 200,
        leaseMs: 1000,
      });
      t.teardown(() => relay.stop());
      return relay;
    },
    archiver: () => startArchiverProcess(t, urls),
  };
}

export interface ArchiverProcess {
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; resolves to its exit code. */
  stop(): Promise<number | null>;
  /** What a metric says, all its labels added up. */
  metric(name: string, labels?: string): Promise<number>;
  readonly pid: number;
}

async function startArchiverProcess(t: Test, urls: Urls): Promise<ArchiverProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      PORT: "0",
      REDIS_URL: urls.redis,
      NATS_URL: urls.nats,
      DATABASE_URL: urls.postgres,
      DEDUPE_WINDOW_SECONDS: String(DEDUPE_SECONDS),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let log = "";
  child.stdout.on("data", (text) => {
    log += text;
  });
  // However this process ends, short of a signal that it cannot catch.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  t.teardown(async () => {
    await end(child, "SIGKILL");
    process.off("exit", kill);
  });
  const url = await waitFor("the archiver to start", () => /"url":"([^"]+)"/.exec(log)?.[1], 30_000);
  return {
    pid: child.pid ?? 0,
    kill: async () => void (await end(child, "SIGKILL")),
    stop: () => end(child, "SIGTERM"),
    async metric(name, labels = "") {
      const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5000) })).text();
      const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) && line.includes(labels));
      return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
    },
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  const [code] = (await ended) as [number | null];
  return code;
}
