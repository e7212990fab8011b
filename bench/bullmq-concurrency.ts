/**
 * A BullMQ consumer with 50 workers beside one with a single worker, on the Broker port and a real Redis: jobs that make one
 * round trip to another process, which answers after 5 ms, and jobs that do nothing at all.
 * Goal: at least 3.5 times as many round trips a second.
 */

import { randomUUID } from "node:crypto";
import { connectBullmq } from "@parallax/messaging";
import { waitFor } from "@parallax/testkit";
import { Agent, request } from "undici";
import { redisServer } from "../test/lib/redis-server.ts";
import { interleave, median, spread } from "./lib/ratio.ts";
import { startServer } from "./lib/server.ts";

const ROUNDS = 5;
const WORKERS = 50;
const GOAL = 3.5;

await using redis = await redisServer();
await using server = await startServer("servers/io.ts");
const agent = new Agent({ connections: WORKERS });

async function roundTrip(): Promise<void> {
  const { body } = await request(server.url, { dispatcher: agent });
  await body.json();
}

/** Jobs a second from the first received to the last acknowledged; they are all there when it begins. */
async function rate(jobs: number, concurrency: number, work: () => Promise<void>): Promise<number> {
  await using broker = connectBullmq({
    url: redis.url,
    queue: `bench-${randomUUID()}`,
    visibilitySeconds: 30,
    maxReceiveCount: 5,
  });
  await Promise.all(
    Array.from({ length: jobs }, (_, n) => broker.publish({ body: `order ${n}`, attributes: {} })),
  );
  const all = Promise.withResolvers<void>();
  let done = 0;
  let began = 0;
  const consumer = broker.consume(
    async () => {
      began ||= performance.now();
      await work();
      done += 1;
      if (done === jobs) all.resolve();
    },
    { concurrency, onError: (error) => all.reject(error) },
  );
  await all.promise;
  await waitFor("the last acknowledgement", async () => (await broker.depth()).inFlight === 0);
  const seconds = (performance.now() - began) / 1000;
  await consumer.stop(0);
  return jobs / seconds;
}

async function compare(what: string, jobs: { many: number; one: number }, work: () => Promise<void>) {
  const many = () => rate(jobs.many, WORKERS, work);
  const one = () => rate(jobs.one, 1, work);
  await many();
  await one();
  const { a, b, ratios } = await interleave(ROUNDS, many, one);
  console.log(`${what}, ${WORKERS} workers: ${spread(a, 0)} jobs/s`);
  console.log(`${what}, 1 worker:   ${spread(b, 0)} jobs/s`);
  console.log(`${what}, ratio:      ${spread(ratios)}`);
  return median(ratios);
}

const ratio = await compare("a round trip of 5 ms", { many: 5000, one: 400 }, roundTrip);
await compare("no work", { many: 5000, one: 2000 }, async () => {});
console.log(`(goal: at least ${GOAL} with a round trip; ${ROUNDS} interleaved pairs)`);
await agent.close();
process.exitCode = ratio >= GOAL ? 0 : 1;
