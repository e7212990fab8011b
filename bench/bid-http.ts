/**
 * How many bids a second a gateway accepts over HTTP, with validation, metrics and logs as shipped and each bid through Redis, as a ratio
 * to a bare koa-router that reads the same body and sends the same answer from memory. Goal: at least 0.5.
 *
 * Processor time a request is told beside it: on a busy machine it says the same with less noise.
 */

import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { processTable, processTree } from "../lab/src/util/processes.ts";
import { outboxKey } from "../services/bidding/src/adapters/keys.ts";
import { redisServer } from "../test/lib/redis-server.ts";
import { Bidders } from "./lib/bidders.ts";
import { interleave, median, spread } from "./lib/ratio.ts";
import { type ServerProcess, startServer } from "./lib/server.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const SECONDS = 3;
const CONNECTIONS = 100;
const GOAL = 0.5;

async function newAuctions(url: string): Promise<string[]> {
  const body = JSON.stringify({
    item: "A vase",
    starting_price: 1,
    min_increment: 1,
    ends_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const headers = { "content-type": "application/json" };
  return await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const response = await fetch(`${url}/auctions`, { method: "POST", body, headers });
      return ((await response.json()) as { auction_id: string }).auction_id;
    }),
  );
}

/** Milliseconds of processor time a bid. */
const costs = new Map<ServerProcess, number[]>();

async function measure(server: ServerProcess, bidders: Bidders): Promise<number> {
  const before = await cpuMs(server);
  const rate = await bidders.run(SECONDS);
  const cost = ((await cpuMs(server)) - before) / (rate * SECONDS);
  costs.set(server, [...(costs.get(server) ?? []), cost]);
  return rate;
}

async function cpuMs({ pid }: ServerProcess): Promise<number> {
  return (processTree(await processTable(), pid)[0]?.cpuSeconds ?? Number.NaN) * 1000;
}

async function compare(what: string, withIds: boolean): Promise<number> {
  await using gateway = await startServer("servers/gateway.ts", [redis.url]);
  await using bare = await startServer("servers/bare-bids.ts");
  using onGateway = await Bidders.connect(gateway.url, await newAuctions(gateway.url), withIds);
  using onBare = await Bidders.connect(
    bare.url,
    Array.from({ length: CONNECTIONS }, () => randomUUID()),
    withIds,
  );
  await onGateway.run(SECONDS);
  await onBare.run(SECONDS);
  costs.clear();
  const { a, b, ratios } = await interleave(
    ROUNDS,
    async () => {
      await raw.del(outboxKey);
      return await measure(gateway, onGateway);
    },
    () => measure(bare, onBare),
  );
  const [own = [], others = []] = [costs.get(gateway), costs.get(bare)];
  const costRatios = others.map((cost, at) => cost / (own[at] ?? Number.NaN));
  console.log(`${what}`);
  console.log(`  gateway:         ${spread(a, 0)} accepted bids/s, ${spread(own, 3)} ms of processor each`);
  console.log(`  bare koa-router: ${spread(b, 0)} requests/s, ${spread(others, 3)} ms of processor each`);
  console.log(
    `  ratio:           ${spread(ratios)} (goal: at least ${GOAL}); by processor time ${spread(costRatios)}`,
  );
  return median(ratios);
}

await using redis = await redisServer();
const raw = new Redis(redis.url);
const ratios = [
  await compare("bids without ids of their own", false),
  await compare("bids that bring their ids", true),
];
console.log(`(${ROUNDS} interleaved pairs, ${SECONDS} s each, ${CONNECTIONS} connections)`);
raw.disconnect();
process.exitCode = ratios.every((ratio) => ratio >= GOAL) ? 0 : 1;
