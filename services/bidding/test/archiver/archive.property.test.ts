/**
 * Whatever the order, the repetition and the batches in which events are delivered, and whatever fails in between: what is
 * archived in the end is what was accepted, once.
 */

import assert from "node:assert/strict";
import { createMetrics, DependencyUnavailable } from "@parallax/service";
import { silentLogger } from "@parallax/testkit";
import fc from "fast-check";
import t from "tap";
import { MemoryArchiveStore } from "../../src/adapters/memory-archive-store.ts";
import { MemoryOutbox } from "../../src/adapters/memory-outbox.ts";
import { archiveBatch } from "../../src/archiver/archive-batch.ts";
import { createArchiverMetrics } from "../../src/archiver/metrics.ts";
import type { Delivery } from "../../src/domain/archiving.ts";
import { type AuctionEvent, encodeEvent } from "../../src/domain/events.ts";
import { compareIds, eventOf } from "../../src/domain/outbox.ts";
import { aStory, toAppend } from "../some-events.ts";

const SEED = Number(process.env.FC_SEED ?? 20_261_121);
const metrics = createArchiverMetrics(createMetrics("test"));
const never = new AbortController().signal;

/** What an attempt of the archiver ends with. */
type End = "done" | "store-out" | "killed-after-commit" | "killed-after-removal";

const deliveries = fc.record({
  auctions: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 3 }),
  /** Places in the list of events, some again and again; what is missing is delivered in the end. */
  order: fc.array(fc.nat(), { maxLength: 80 }),
  batch: fc.integer({ min: 1, max: 9 }),
  ends: fc.array(fc.constantFrom<End>("done", "store-out", "killed-after-commit", "killed-after-removal")),
});

t.test("archive = what was accepted", async (t) => {
  const property = fc.asyncProperty(deliveries, async ({ auctions, order, batch, ends }) => {
    const outbox = new MemoryOutbox();
    for (const event of auctions.flatMap((bids) => aStory(bids))) outbox.append(toAppend(event));
    const events = outbox.entries.map(eventOf);
    const delivered = [...order.map((place) => events[place % events.length] as AuctionEvent), ...events];
    const store = new MemoryArchiveStore();
    const unacknowledged = new Set(delivered);
    const archive = async (some: readonly AuctionEvent[], end: End) => {
      const attempt = failing({ store, outbox }, end);
      const parts = { ...attempt, metrics, logger: silentLogger(), retentionSeconds: 60 };
      const batch = some.map((event) => asDelivery(event, () => unacknowledged.delete(event)));
      await archiveBatch(batch, { ...parts, backoffMs: { first: 0, most: 0 } }, attempt.signal).catch(
        () => {},
      );
    };
    for (let at = 0, turn = 0; at < delivered.length; at += batch, turn += 1) {
      await archive(delivered.slice(at, at + batch), ends[turn] ?? "done");
    }
    // What was not acknowledged is delivered again.
    await archive([...unacknowledged], "done");

    const sent = (type: AuctionEvent["type"]) => events.filter((event) => event.type === type);
    const inOrder = (all: Iterable<AuctionEvent>) =>
      [...all].toSorted((a, b) => compareIds(a.outbox_id, b.outbox_id));
    assert.deepEqual(inOrder(store.bids.values()), sent("bid"));
    assert.deepEqual(inOrder(store.opened.values()), sent("opened"));
    assert.deepEqual(inOrder(store.ended.values()), sent("ended"));
    assert.deepEqual(store.conflicts, []);
    assert.deepEqual(outbox.entries, []);
    assert.equal(unacknowledged.size, 0);
  });
  await t.resolves(fc.assert(property, { seed: SEED, numRuns: 300 }));
});

/** Store and outbox that fail at one place, and a signal that aborts where the archiver is to be killed. */
function failing(
  { store, outbox }: { readonly store: MemoryArchiveStore; readonly outbox: MemoryOutbox },
  end: End,
) {
  const killed = new AbortController();
  let outages = end === "store-out" ? 2 : 0;
  const kill = (): never => {
    killed.abort(new Error("killed"));
    throw new DependencyUnavailable("killed");
  };
  return {
    signal: end === "done" ? never : killed.signal,
    store: {
      check: () => store.check(),
      write: async (events: readonly AuctionEvent[]) => {
        outages -= 1;
        if (outages >= 0) throw new DependencyUnavailable("out");
        return await store.write(events);
      },
    },
    outbox: {
      check: () => outbox.check(),
      sweep: () => outbox.sweep(),
      remove: async (ids: readonly string[]) => {
        if (end === "killed-after-commit") kill();
        await outbox.remove(ids);
      },
      retire: async (ids: readonly string[], seconds: number) => {
        if (end === "killed-after-removal") kill();
        await outbox.retire(ids, seconds);
      },
    },
  };
}

function asDelivery(event: AuctionEvent, ack: () => void): Delivery {
  return { text: encodeEvent(event), ack, giveBack() {}, refuse() {}, keep() {} };
}
