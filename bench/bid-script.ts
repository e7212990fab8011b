/**
 * Bids on a real Redis, by way of the gateway's own adapters, all on one auction. Goals:
 * - by script at least 10 times as many a second as by WATCH, MULTI and EXEC, with the same number of bidders;
 * - by script at least 0.35 times as many as plain SETs at the same pipelining, with 64 and with 256 on their way at once;
 * - with auto-pipelining at least 1.25 times as many as without, with 64 bidders.
 *
 * Every bidder bids again as soon as it is answered, always more than all before, so that every bid by script is accepted. By WATCH
 * whoever is not first decides again, until it is or has been outbid. What is compared is accepted bids.
 */

import { randomUUIDv7 } from "node:crypto";
import { createMetrics } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import { Redis } from "ioredis";
import { outboxKey } from "../services/bidding/src/adapters/keys.ts";
import { redisAuctions } from "../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../services/bidding/src/adapters/redis-connection.ts";
import { WatchBids } from "../services/bidding/src/adapters/watch-bids.ts";
import type { Auctions } from "../services/bidding/src/domain/ports.ts";
import { redisServer } from "../test/lib/redis-server.ts";
import { interleave, median, spread } from "./lib/ratio.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const SECONDS = 1.5;
const BIDDERS = 64;
/** What several hundred requests that come in together have on their way. */
const CROWD = 256;
const mostUnarchived = 10_000_000;
const logger = silentLogger();

await using server = await redisServer();
const raw = new Redis(server.url);
const piped = connectRedis({ url: server.url, name: "bench" }, logger);
const single = connectRedis({ url: server.url, name: "bench", autoPipelining: false }, logger);
await waitFor("the connections", () => piped.status === "ready" && single.status === "ready");
const byScript = redisAuctions(piped, { mostUnarchived });
const unpiped = redisAuctions(single, { mostUnarchived });
using watch = new WatchBids(
  { url: server.url, connections: BIDDERS, mostUnarchived, patienceMs: 60_000 },
  logger,
  createMetrics("bench"),
);
const byWatch = watch.instead(byScript);

let amount = 0;

async function newAuction(): Promise<string> {
  await raw.del(outboxKey);
  const auctionId = randomUUIDv7();
  const endsAt = Date.now() + 3_600_000;
  await byScript.create({ auctionId, item: "A vase", startingPrice: 1, minIncrement: 1, endsAt });
  return auctionId;
}

/** Accepted bids a second. By WATCH most that have to decide again are outbid by then: `answered` says how many were answered at all. */
async function bid(auctions: Auctions, answered: number[] = [], bidders = BIDDERS): Promise<number> {
  const auctionId = await newAuction();
  let accepted = 0;
  let all = 0;
  const perSecond = await repeat(async () => {
    amount += 1;
    const bidId = `00000000-0000-4000-8000-${String(amount).padStart(12, "0")}`;
    const bid = { auctionId, bidId, bidderId: "bidder-1", amount };
    if ((await auctions.bid(bid, false)).kind === "accepted") accepted += 1;
    all += 1;
  }, bidders);
  answered.push(perSecond(all));
  return perSecond(accepted);
}

async function set(redis: Redis, clients = BIDDERS): Promise<number> {
  let done = 0;
  const perSecond = await repeat(async () => {
    amount += 1;
    await redis.set(`set:${amount % 1000}`, `bidder-1 ${amount}`);
    done += 1;
  }, clients);
  return perSecond(done);
}

/** Has all bidders do `work` again and again. @returns what makes a rate of a count */
async function repeat(work: () => Promise<void>, bidders: number): Promise<(count: number) => number> {
  const began = performance.now();
  const until = began + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: bidders }, async () => {
      while (performance.now() < until) await work();
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  return (count) => count / seconds;
}

interface Side {
  readonly name: string;
  readonly run: () => Promise<number>;
}

async function compare(goal: number, a: Side, b: Side): Promise<boolean> {
  await a.run();
  await b.run();
  const { a: of, b: against, ratios } = await interleave(ROUNDS, a.run, b.run);
  console.log(`${a.name}: ${spread(of, 0)}/s; ${b.name}: ${spread(against, 0)}/s`);
  console.log(`  ratio: ${spread(ratios)} (goal: at least ${goal})`);
  return median(ratios) >= goal;
}

const script = { name: "bids by script", run: () => bid(byScript) };
const answeredByWatch: number[] = [];
const good = [
  await compare(10, script, { name: "bids by WATCH", run: () => bid(byWatch, answeredByWatch) }),
  await compare(0.35, script, { name: "SET", run: () => set(piped) }),
  await compare(
    0.35,
    { name: `bids by script, ${CROWD} bidders`, run: () => bid(byScript, [], CROWD) },
    { name: `SET, ${CROWD} at once`, run: () => set(piped, CROWD) },
  ),
  await compare(1.25, script, { name: "bids by script without auto-pipelining", run: () => bid(unpiped) }),
];
console.log(`by WATCH ${spread(answeredByWatch, 0)} bids/s were answered, refusals included`);
console.log(
  `(${ROUNDS} interleaved pairs, ${SECONDS} s each, ${BIDDERS} bidders on one auction where no other number is told)`,
);
for (const redis of [raw, piped, single]) redis.disconnect();
process.exitCode = good.every(Boolean) ? 0 : 1;
