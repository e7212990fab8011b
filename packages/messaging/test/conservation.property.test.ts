/**
 * Property: whatever handlers do, a message is acknowledged once or dead-lettered once, never both, never
 * neither. Seeded by fast-check, which prints what replays a failure.
 */

import { waitFor } from "@parallax/testkit";
import fc from "fast-check";
import t, { type Test } from "tap";
import { redisServer } from "../../../test/lib/redis-server.ts";
import { PermanentFailure, RetryLater } from "../src/index.ts";
import { type BrokerUnderTest, bullmqBrokersOn, memoryBroker } from "./contract/brokers.ts";

const behaviour = fc.constantFrom("succeed", "poison", "retry", "succeed later");
const redis = await redisServer();
t.teardown(() => redis[Symbol.asyncDispose]());

for (const [under, numRuns] of [
  [memoryBroker(), 40],
  [bullmqBrokersOn("bullmq", redis), 15],
] as const) {
  t.test(`every message ends acknowledged or dead-lettered: ${under.name}`, (t) =>
    conserves(t, under, numRuns),
  );
}

async function conserves(t: Test, under: BrokerUnderTest, numRuns: number): Promise<void> {
  const property = fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(behaviour, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (scripts, concurrency, maxReceiveCount) => {
        await using broker = await under.open({ visibilitySeconds: 30, maxReceiveCount });
        const acknowledged: number[] = [];
        const consumer = broker.consume(
          async ({ body, receiveCount }) => {
            const number = Number(body);
            const what = scripts[number]?.[receiveCount - 1] ?? "succeed";
            if (what === "poison") throw new PermanentFailure("poison");
            if (what === "retry") throw new RetryLater("later", 0);
            if (what === "succeed later") await new Promise(setImmediate);
            acknowledged.push(number);
          },
          { concurrency },
        );
        for (const number of scripts.keys()) await broker.publish({ body: String(number), attributes: {} });
        await waitFor("an empty queue", async () => {
          const { visible, inFlight, delayed } = await broker.depth();
          return visible + inFlight + delayed === 0;
        });
        const dead = (await broker.deadLetters(100)).map(({ body }) => Number(body));
        await consumer.stop(50);
        const ended = [...acknowledged, ...dead].sort((a, b) => a - b);
        return ended.join() === [...scripts.keys()].join();
      },
    ),
    { numRuns },
  );
  await t.resolves(property);
}
