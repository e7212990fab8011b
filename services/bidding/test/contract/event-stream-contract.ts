/** What is promised of the stream of events, by who publishes to it and who takes from it: the same on JetStream as in memory. */

import { randomUUID } from "node:crypto";
import { DependencyUnavailable } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import type { Delivery, EventSource } from "../../src/domain/archiving.ts";
import { type AuctionEvent, decodeEvent } from "../../src/domain/events.ts";
import type { EventPublisher } from "../../src/domain/outbox.ts";
import { aBid, anEnded, anOpened } from "../some-events.ts";

export interface StreamUnderTest {
  readonly publisher: EventPublisher;
  /** What is not settled within a second is delivered again. */
  readonly source: EventSource;
  /** Takes all that is in it away, as a server that comes back with an empty disk. */
  loseDisk(): Promise<void>;
  /** Takes it away, with its connections, until it comes back as it was. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

const never = new AbortController().signal;

/** Adds the tests to `t`; each leaves the stream empty. */
export function eventStreamContract(
  t: Test,
  { publisher, source, loseDisk, goAway, comeBack }: StreamUnderTest,
): void {
  const waiting = async () => (await publisher.inspect()).waiting;

  /** Opens the source; `settle` decides what becomes of each delivery. */
  async function taking(most: number, settle: (delivery: Delivery, event: AuctionEvent) => void) {
    const taken: AuctionEvent[] = [];
    const deliveries = await source.open(most, (delivery) => {
      const event = decodeEvent(delivery.text);
      taken.push(event);
      settle(delivery, event);
    });
    return { taken, ...deliveries, ended: deliveries.ended };
  }

  /** Leaves nothing for the next test. */
  async function empty() {
    const { stop } = await taking(1000, (delivery) => delivery.ack());
    await waitFor("the stream to be empty", async () => (await waiting()) === 0);
    await stop();
  }

  t.test("what is published is delivered in its order; acknowledged, it is gone", async (t) => {
    const id = randomUUID();
    const events = [anOpened(id), aBid(id, 1), aBid(id, 2), anEnded(id)];
    const before = await publisher.inspect();
    for (const [at, event] of events.entries()) {
      t.same(pick(await publisher.publish(event)), { seq: before.lastSeq + at + 1, duplicate: false });
    }
    t.equal(await waiting(), 4);
    const { taken, stop } = await taking(10, (delivery) => delivery.ack());
    await waitFor("all to be gone", async () => (await waiting()) === 0);
    t.same(taken, events);
    await stop();
    t.match(await publisher.inspect(), { identity: before.identity, lastSeq: before.lastSeq + 4 });
  });

  t.test("published again within the window, even once it is gone, it is there once", async (t) => {
    const bid = aBid(randomUUID(), 1);
    const first = await publisher.publish(bid);
    t.same(pick(await publisher.publish(bid)), { seq: first.seq, duplicate: true });
    await empty();
    t.match(await publisher.publish({ ...bid, outbox_id: "1-1" }), { duplicate: true });
    t.equal(await waiting(), 0);
  });

  t.test("another bid under the same seq is another event", async (t) => {
    const id = randomUUID();
    await publisher.publish(aBid(id, 1));
    t.match(await publisher.publish(aBid(id, 1)), { duplicate: false });
    await empty();
  });

  t.test("no more are delivered than may be unsettled", async (t) => {
    const id = randomUUID();
    for (let seq = 1; seq <= 20; seq += 1) await publisher.publish(aBid(id, seq));
    const held: Delivery[] = [];
    const { taken, stop } = await taking(5, (delivery) => void held.push(delivery));
    await waitFor("five", () => taken.length === 5);
    for (const delivery of held.splice(0)) delivery.ack();
    await waitFor("five more", () => taken.length === 10);
    t.equal(await waiting(), 15);
    await stop();
    for (const delivery of held) delivery.giveBack();
    await empty();
  });

  t.test("given back it comes again at once; refused, never", async (t) => {
    const id = randomUUID();
    await publisher.publish(aBid(id, 1));
    await publisher.publish(aBid(id, 2));
    let times = 0;
    const { taken, stop } = await taking(10, (delivery, event) => {
      if (event.type === "bid" && event.seq === 2) return delivery.refuse();
      times += 1;
      return times < 3 ? delivery.giveBack() : delivery.ack();
    });
    await waitFor("all to be gone", async () => (await waiting()) === 0);
    t.equal(taken.length, 4);
    await stop();
  });

  t.test("what is neither settled nor kept comes again; what is kept does not", async (t) => {
    const id = randomUUID();
    for (const seq of [1, 2]) await publisher.publish(aBid(id, seq));
    const held = new Map<number, Delivery[]>();
    const { taken, stop, patienceMs } = await taking(10, (delivery, event) => {
      const { seq } = event as { seq: number };
      held.set(seq, [...(held.get(seq) ?? []), delivery]);
    });
    await waitFor("both", () => taken.length === 2);
    const keeping = setInterval(() => held.get(1)?.[0]?.keep(), patienceMs / 4);
    t.teardown(() => clearInterval(keeping));
    await waitFor("the other to come again, twice", () => held.get(2)?.length === 3, 20_000);
    t.equal(held.get(1)?.length, 1);
    clearInterval(keeping);
    await stop();
    for (const delivery of [...held.values()].flat()) delivery.giveBack();
    await empty();
  });

  t.test("while it is away nothing can be done; then it is as it was, and delivers again", async (t) => {
    const id = randomUUID();
    await publisher.publish(aBid(id, 1));
    const { identity } = await publisher.inspect();
    const { taken, ended, stop } = await taking(10, () => {});
    await waitFor("it", () => taken.length === 1);
    await goAway();
    await waitFor("the end of the deliveries", () => ended.aborted);
    await stop();
    await t.rejects(publisher.publish(aBid(id, 2)), DependencyUnavailable);
    await t.rejects(
      source.open(10, () => {}),
      DependencyUnavailable,
    );
    await t.rejects(source.check(), DependencyUnavailable);
    const ready = publisher.ready(never);
    await comeBack();
    await ready;
    await waitFor("it to answer", () => source.check().then(() => true));
    t.equal((await publisher.inspect()).identity, identity);
    const again = await taking(10, (delivery) => delivery.ack());
    await waitFor("it again", () => again.taken.length > 0, 20_000);
    t.same(again.taken[0], taken[0]);
    await again.stop();
    await empty();
  });

  t.test("waiting for it ends when it is aborted", async (t) => {
    await goAway();
    const controller = new AbortController();
    const ready = publisher.ready(controller.signal);
    controller.abort(new Error("enough"));
    await t.rejects(ready, { message: "enough" });
    await comeBack();
    await publisher.ready(never);
  });

  t.test(
    "one that lost its disk is another one, and what was delivered before settles nothing in it",
    async (t) => {
      const id = randomUUID();
      const bids = [1, 2, 3].map((seq) => aBid(id, seq));
      for (const bid of bids) await publisher.publish(bid);
      const before = await publisher.inspect();
      const held: Delivery[] = [];
      const { ended, stop } = await taking(10, (delivery) => void held.push(delivery));
      await waitFor("all", () => held.length === 3);
      await loseDisk();
      await waitFor("the end of the deliveries", () => ended.aborted, 20_000);
      await stop();
      await publisher.ready(never);
      const after = await waitFor("it to be made", () => publisher.inspect());
      t.not(after.identity, before.identity);
      t.match(after, { waiting: 0, lastSeq: 0 });
      for (const bid of bids) t.match(await publisher.publish(bid), { duplicate: false });
      // These name messages of the stream that was.
      for (const delivery of held) delivery.ack();
      const again = await taking(10, () => {});
      await waitFor("all three again", () => again.taken.length === 3);
      t.equal(await waiting(), 3);
      await again.stop();
      await empty();
    },
  );
}

function pick({ seq, duplicate }: { seq: number; duplicate: boolean }) {
  return { seq, duplicate };
}
