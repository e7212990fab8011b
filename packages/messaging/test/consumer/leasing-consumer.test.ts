import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { leasingConsumer } from "../../src/consumer/leasing-consumer.ts";
import { MemoryBroker } from "../../src/memory/memory-broker.ts";
import type { LeasedQueue, ReceivedMessage } from "../../src/queue.ts";

t.test("what comes after a shrink reaches a free worker at its first receive", async (t) => {
  const broker = new MemoryBroker();
  const counts: number[] = [];
  const consumer = broker.consume(async ({ receiveCount }) => void counts.push(receiveCount), {
    concurrency: 200,
  });
  t.teardown(() => consumer.stop(0));
  // Four polls wait, for ten messages each.
  await sleep(0);
  consumer.resize(1);
  await broker.publish({ body: "m", attributes: {} });
  await waitFor("it to be handled", () => counts.length > 0);
  t.same(counts, [1]);
});

t.test("what a poll brings in beyond the workers that are left is handed back", async (t) => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<ReceivedMessage[]>();
  const handedBack: string[] = [];
  const begun: string[] = [];
  let polls = 0;
  const queue: LeasedQueue = {
    visibilitySeconds: 30,
    async receive(_max, signal) {
      polls += 1;
      asked.resolve();
      if (polls === 1) return await answer.promise;
      return await new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve([]), { once: true });
        if (signal.aborted) resolve([]);
      });
    },
    remove: async () => [],
    async hide(receipts, seconds) {
      if (seconds === 0) handedBack.push(...receipts);
      return [];
    },
  };
  const done = Promise.withResolvers<void>();
  const consumer = leasingConsumer(
    queue,
    async ({ id }) => {
      begun.push(id);
      await done.promise;
    },
    { concurrency: 10 },
  );
  t.teardown(() => consumer.stop(0));
  await asked.promise;
  consumer.resize(2);
  answer.resolve(
    ["a", "b", "c", "d"].map((id) => ({ id, body: "", attributes: {}, receiveCount: 1, receipt: id })),
  );
  await waitFor("two to be handed back", () => handedBack.length === 2);
  t.same(begun, ["a", "b"]);
  t.same(handedBack, ["c", "d"]);
  done.resolve();
});
