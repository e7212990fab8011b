/** The part of the broker's contract that is for whoever looks after a queue: dead letters sent back, workers added and taken away. */

import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { type Broker, type Delivery, PermanentFailure } from "../../src/index.ts";
import type { BrokerUnderTest } from "./brokers.ts";
import { empty, message, open } from "./opened.ts";

/** A server's own task may take its time to begin. */
const PATIENCE_MS = 30_000;

export function operatingContract(t: Test, under: BrokerUnderTest): void {
  t.test("redrives every dead letter with its body and attributes", async (t) => {
    const broker = await open(t, under);
    const { deliveries, heal } = poisoned(t, broker);
    const bodies = Array.from({ length: 23 }, (_, n) => `m${n} ${"ü".repeat(n * 20)}`);
    await Promise.all(bodies.map((body) => broker.publish(message(body))));
    await deadLettered(broker, 23);
    const progress: number[] = [];
    heal();
    t.same(await broker.redrive({ onMoved: (count) => progress.push(count) }), { moved: 23 });
    t.equal(progress.at(-1), 23);
    t.same(
      progress,
      progress.toSorted((a, b) => a - b),
      "it counts upwards",
    );
    await waitFor("all of them once more", () => deliveries.length === 23, PATIENCE_MS);
    t.same(new Set(deliveries.map(({ body }) => body)), new Set(bodies));
    t.ok(deliveries.every(({ body, attributes }) => attributes.traceparent === `trace of ${body}`));
    await waitFor("an empty queue", () => empty(broker));
    t.equal((await broker.depth()).deadLettered, 0);
  });

  t.test("redrives as many as it is told to, and none when there are none", async (t) => {
    const broker = await open(t, under);
    t.same(await broker.redrive(), { moved: 0 });
    const { heal } = poisoned(t, broker);
    await Promise.all(Array.from({ length: 15 }, (_, n) => broker.publish(message(`m${n}`))));
    await deadLettered(broker, 15);
    heal();
    t.same(await broker.redrive({ limit: 12 }), { moved: 12 });
    t.equal((await broker.depth()).deadLettered, 3);
    t.same(await broker.redrive({ limit: 12 }), { moved: 3 });
    await waitFor("an empty queue", () => empty(broker));
  });

  t.test("equal messages are as many messages, also when one of them is a dead letter", async (t) => {
    const broker = await open(t, under);
    const { deliveries, heal } = poisoned(t, broker);
    await broker.publish(message("twin"));
    await deadLettered(broker, 1);
    heal();
    await Promise.all([broker.publish(message("twin")), broker.publish(message("twin"))]);
    await waitFor("both", () => deliveries.length === 2);
    t.equal(new Set(deliveries.map(({ id }) => id)).size, 2, "each has an id of its own");
    t.equal((await broker.depth()).deadLettered, 1);
  });

  t.test("redrives nothing once it is told to stop", async (t) => {
    const broker = await open(t, under);
    poisoned(t, broker);
    await broker.publish(message("m"));
    await deadLettered(broker, 1);
    const reason = new Error("enough");
    await t.rejects(broker.redrive({ signal: AbortSignal.abort(reason) }), reason);
    t.equal((await broker.depth()).deadLettered, 1);
  });

  t.test("poison that is redriven is dead-lettered again, after as many receives", async (t) => {
    const broker = await open(t, under);
    const { counts } = poisoned(t, broker);
    await broker.publish(message("poison"));
    await deadLettered(broker, 1);
    t.same(await broker.redrive({ limit: 1 }), { moved: 1 });
    await waitFor("three receives more", () => counts.length === 6);
    await deadLettered(broker, 1);
    t.same(counts, [1, 2, 3, 1, 2, 3]);
    t.match(await broker.deadLetters(10), [message("poison")]);
  });

  t.test("grows and shrinks while it works", async (t) => {
    const broker = await open(t, under);
    await Promise.all(Array.from({ length: 40 }, (_, n) => broker.publish(message(`m${n}`))));
    const inHand: PromiseWithResolvers<void>[] = [];
    let done = 0;
    const consumer = broker.consume(
      async () => {
        const gate = Promise.withResolvers<void>();
        inHand.push(gate);
        await gate.promise;
        done += 1;
      },
      { concurrency: 1 },
    );
    t.teardown(() => consumer.stop(0));
    const finish = (count: number) => {
      for (const { resolve } of inHand.splice(0, count)) resolve();
    };
    await waitFor("one in hand", () => inHand.length === 1);
    consumer.resize(12);
    await waitFor("twelve in hand", () => inHand.length === 12);
    consumer.resize(3);
    finish(8);
    await waitFor("eight done", () => done === 8);
    t.equal(consumer.inFlight, 4, "the shrink interrupts nothing and begins nothing");
    finish(4);
    for (let most = 0; done < 40; ) {
      await waitFor("more in hand", () => inHand.length > 0 || done === 40);
      most = Math.max(most, inHand.length);
      t.ok(most <= 3, `${most} in hand`);
      finish(1);
    }
    await waitFor("an empty queue", () => empty(broker));
    t.equal(done, 40);
    for (const impossible of [0, -1, 1.5, Number.NaN])
      t.throws(() => consumer.resize(impossible), RangeError, `${impossible} workers`);
  });
}

async function deadLettered(broker: Broker, count: number): Promise<void> {
  const what = `${count} in the dead-letter queue`;
  await waitFor(what, async () => (await broker.depth()).deadLettered === count, PATIENCE_MS);
}

/** Everything is poison until it is healed; deliveries are those from then on. */
function poisoned(t: Test, broker: Broker) {
  const counts: number[] = [];
  const deliveries: Delivery[] = [];
  let healed = false;
  const consumer = broker.consume(
    async (delivery) => {
      counts.push(delivery.receiveCount);
      if (!healed) throw new PermanentFailure("poison");
      deliveries.push(delivery);
    },
    { concurrency: 10 },
  );
  t.teardown(() => consumer.stop(0));
  const heal = () => {
    healed = true;
  };
  return { counts, deliveries, heal };
}
