/**
 * The contract of the Broker port: what every broker does, whether in memory, on an emulator in this process, on one in a
 * container or on AWS. Where an emulator deviates from
 * AWS, emulator-traits.ts says so and pins it.
 */

import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { type Delivery, PermanentFailure, RetryLater } from "../../src/index.ts";
import type { BrokerUnderTest } from "./brokers.ts";
import { empty, message, open } from "./opened.ts";
import { operatingContract } from "./operating-contract.ts";

/** Adds the contract's tests to `t`, one subtest each. */
export function brokerContract(t: Test, under: BrokerUnderTest): void {
  deliveryContract(t, under);
  operatingContract(t, under);
}

function deliveryContract(t: Test, under: BrokerUnderTest): void {
  t.test("delivers what was published, with its attributes, and forgets it when acknowledged", async (t) => {
    const broker = await open(t, under);
    const got: Delivery[] = [];
    const consumer = broker.consume(async (delivery) => void got.push(delivery), { concurrency: 4 });
    t.teardown(() => consumer.stop(0));
    await Promise.all(Array.from({ length: 25 }, (_, n) => broker.publish(message(`m${n}`))));
    await waitFor("all deliveries", () => got.length === 25);
    t.same(new Set(got.map(({ body }) => body)).size, 25);
    t.ok(got.every(({ body, attributes }) => attributes.traceparent === `trace of ${body}`));
    t.ok(got.every(({ receiveCount }) => receiveCount === 1));
    await waitFor("an empty queue", () => empty(broker));
  });

  t.test("never has more in hand than its workers, and uses them all", async (t) => {
    const broker = await open(t, under);
    await Promise.all(Array.from({ length: 30 }, (_, n) => broker.publish(message(`m${n}`))));
    const gate = Promise.withResolvers<void>();
    let inHand = 0;
    let most = 0;
    const consumer = broker.consume(
      async () => {
        inHand += 1;
        most = Math.max(most, inHand);
        await gate.promise;
        inHand -= 1;
      },
      { concurrency: 13 },
    );
    t.teardown(() => consumer.stop(0));
    await waitFor("13 in hand", () => inHand === 13);
    t.equal(consumer.inFlight, 13);
    t.match(await broker.depth(), { visible: 17, inFlight: 13 });
    gate.resolve();
    await waitFor("an empty queue", () => empty(broker));
    t.equal(most, 13);
  });

  t.test("goes on receiving while the slowest of a batch is still being handled", async (t) => {
    const broker = await open(t, under);
    const slow = Promise.withResolvers<void>();
    const done: string[] = [];
    await Promise.all(
      Array.from({ length: 10 }, (_, n) => broker.publish(message(n === 0 ? "slow" : `m${n}`))),
    );
    const consumer = broker.consume(
      async ({ body }) => {
        if (body === "slow") await slow.promise;
        done.push(body);
      },
      { concurrency: 10 },
    );
    t.teardown(() => consumer.stop(0));
    await waitFor("the quick nine", () => done.length === 9);
    await broker.publish(message("later"));
    await waitFor("a message that came later", () => done.includes("later"));
    t.notOk(done.includes("slow"));
    slow.resolve();
    await waitFor("the slow one", () => done.includes("slow"));
  });

  t.test("dead-letters a message after exactly maxReceiveCount receives", async (t) => {
    const broker = await open(t, under);
    const counts: number[] = [];
    const consumer = broker.consume(
      async ({ receiveCount }) => {
        counts.push(receiveCount);
        throw new PermanentFailure("poison");
      },
      { concurrency: 2 },
    );
    t.teardown(() => consumer.stop(0));
    await broker.publish(message("poison"));
    await waitFor("the dead letter", async () => (await broker.depth()).deadLettered === 1);
    t.same(counts, [1, 2, 3]);
    const expected = [message("poison")];
    t.match(await broker.deadLetters(10), expected);
    t.match(await broker.deadLetters(10), expected, "looking does not take");
    await waitFor("an empty queue", () => empty(broker));
  });

  t.test("dead-letters after as many receives also what fails for no reason that it knows", async (t) => {
    const broker = await open(t, under, { visibilitySeconds: 1, maxReceiveCount: 3 });
    const counts: number[] = [];
    const consumer = broker.consume(
      async ({ receiveCount }) => {
        counts.push(receiveCount);
        throw new Error("something");
      },
      { concurrency: 2 },
    );
    t.teardown(() => consumer.stop(0));
    await broker.publish(message("unlucky"));
    await waitFor("the dead letter", async () => (await broker.depth()).deadLettered === 1, 20_000);
    t.same(counts, [1, 2, 3]);
    await waitFor("an empty queue", () => empty(broker));
  });

  t.test("lets others overtake what is put off, in whatever order they come, each done once", async (t) => {
    const broker = await open(t, under, { visibilitySeconds: 30, maxReceiveCount: 1000 });
    const bodies = Array.from({ length: 12 }, (_, n) => `${n % 3 === 0 ? "later" : "now"} ${n}`);
    const done: string[] = [];
    const consumer = broker.consume(
      async ({ body, receiveCount }) => {
        if (body.startsWith("later") && (done.length < 8 || receiveCount === 1))
          throw new RetryLater("not yet", 1);
        done.push(body);
      },
      { concurrency: 3 },
    );
    t.teardown(() => consumer.stop(0));
    for (const body of bodies) await broker.publish(message(body));
    await waitFor("all of them", () => done.length >= 12, 30_000);
    await waitFor("an empty queue", () => empty(broker));
    t.same(done.toSorted(), bodies.toSorted());
  });

  t.test("delivers again when the handler asks for it later", async (t) => {
    const broker = await open(t, under);
    const counts: number[] = [];
    const consumer = broker.consume(
      async ({ receiveCount }) => {
        counts.push(receiveCount);
        if (receiveCount === 1) throw new RetryLater("not yet", 1);
      },
      { concurrency: 1 },
    );
    t.teardown(() => consumer.stop(0));
    await broker.publish(message("again"));
    await waitFor("the second delivery", () => counts.length === 2);
    t.same(counts, [1, 2]);
    await waitFor("an empty queue", () => empty(broker));
  });

  t.test(
    "delivers again when the handler fails for an unknown reason, after the visibility timeout",
    async (t) => {
      const broker = await open(t, under, { visibilitySeconds: 1, maxReceiveCount: 3 });
      const errors: unknown[] = [];
      let calls = 0;
      const consumer = broker.consume(
        async () => {
          calls += 1;
          if (calls === 1) throw new Error("something");
        },
        { concurrency: 1, onError: (error, what) => errors.push([what, (error as Error).message]) },
      );
      t.teardown(() => consumer.stop(0));
      await broker.publish(message("again"));
      await waitFor("an empty queue", async () => calls === 2 && (await empty(broker)));
      t.same(errors, [["handle", "something"]]);
    },
  );

  t.test("keeps a slow delivery alive beyond its visibility timeout: no twin runs beside it", async (t) => {
    const broker = await open(t, under, { visibilitySeconds: 3, maxReceiveCount: 3 });
    const release = Promise.withResolvers<void>();
    let calls = 0;
    const consumer = broker.consume(
      async ({ signal }) => {
        calls += 1;
        await release.promise;
        t.notOk(signal.aborted);
      },
      { concurrency: 5 },
    );
    t.teardown(() => consumer.stop(0));
    await broker.publish(message("slow"));
    const began = performance.now();
    await waitFor("two visibility timeouts", () => performance.now() - began > 7000);
    t.equal(calls, 1);
    release.resolve();
    await waitFor("an empty queue", () => empty(broker));
    t.equal(calls, 1);
  });

  t.test("stops: finishes what it can, hands back the rest at once", async (t) => {
    const broker = await open(t, under);
    const quick = Promise.withResolvers<void>();
    const reasons: unknown[] = [];
    let inHand = 0;
    const consumer = broker.consume(
      async ({ body, signal }) => {
        inHand += 1;
        if (body.startsWith("quick")) return await quick.promise;
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
      { concurrency: 5, onError: (error) => reasons.push(error) },
    );
    await Promise.all(["quick1", "quick2", "stuck1"].map((body) => broker.publish(message(body))));
    await waitFor("three in hand", () => inHand === 3);
    const stopping = consumer.stop(200);
    quick.resolve();
    t.same(await stopping, { finished: 2, handedBack: 1 });
    await broker.publish(message("after"));
    // One may be counted as in flight: some emulators do not notice that the last poll's caller has gone. And a topic
    // may acknowledge a message before the queue has it.
    await waitFor("the one handed back and the new one", async () => {
      const { visible, inFlight } = await broker.depth();
      return visible + inFlight === 2;
    });
    t.equal(inHand, 3, "and nothing is received any more");
  });

  t.test("receives nothing more while paused, and goes on when resumed", async (t) => {
    const broker = await open(t, under);
    const got: string[] = [];
    const consumer = broker.consume(async ({ body }) => void got.push(body), { concurrency: 2 });
    t.teardown(() => consumer.stop(0));
    await broker.publish(message("first"));
    await waitFor("the first", () => got.length === 1);
    consumer.pause();
    // The poll that is under way may still bring in one message; it ends with it.
    const paused = performance.now();
    await broker.publish(message("bait"));
    await waitFor("the poll to end", () => got.includes("bait") || performance.now() - paused > 1500);
    await broker.publish(message("second"));
    await waitFor("the message to be visible", async () => (await broker.depth()).visible >= 1);
    t.notOk(got.includes("second"));
    consumer.resume();
    await waitFor("all three", () => got.length === 3);
  });
}
