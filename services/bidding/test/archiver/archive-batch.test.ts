import { randomUUID } from "node:crypto";
import { createMetrics, DependencyUnavailable } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t from "tap";
import { MemoryArchiveStore } from "../../src/adapters/memory-archive-store.ts";
import { MemoryOutbox } from "../../src/adapters/memory-outbox.ts";
import { archiveBatch } from "../../src/archiver/archive-batch.ts";
import { createArchiverMetrics } from "../../src/archiver/metrics.ts";
import { DataRefused, type Delivery } from "../../src/domain/archiving.ts";
import { type AuctionEvent, encodeEvent } from "../../src/domain/events.ts";
import { aBid, aStory, toAppend } from "../some-events.ts";

const never = new AbortController().signal;

/** Everything that happens is written down in its order. */
function parts() {
  const happened: string[] = [];
  const store = new MemoryArchiveStore();
  const outbox = new MemoryOutbox();
  const registry = createMetrics("test");
  const metrics = createArchiverMetrics(registry);
  const deliver = (event: AuctionEvent | string): Delivery => {
    const name =
      typeof event === "string" ? "junk" : `${event.type} ${event.type === "bid" ? event.seq : ""}`.trim();
    return {
      text: typeof event === "string" ? event : encodeEvent(event),
      ack: () => void happened.push(`ack ${name}`),
      giveBack: () => void happened.push(`back ${name}`),
      refuse: () => void happened.push(`refuse ${name}`),
      keep: () => void happened.push(`keep ${name}`),
    };
  };
  const common = { logger: silentLogger(), metrics, retentionSeconds: 60, backoffMs: { first: 1, most: 2 } };
  const value = async (name: string) => {
    const metric = await registry.registry.getSingleMetric(name)?.get();
    return metric?.values.reduce((sum, each) => sum + each.value, 0);
  };
  return { happened, store, outbox, deliver, common, value };
}

t.test("committed, then removed from the outbox, then acknowledged", async (t) => {
  const { happened, store, outbox, deliver, common } = parts();
  const id = randomUUID();
  for (const event of aStory(2, id)) outbox.append(toAppend(event));
  const other = outbox.append(toAppend(aBid(randomUUID(), 1)));
  const events = aStory(2, id).map((event, at) => ({ ...event, outbox_id: outbox.entries[at]?.id ?? "" }));
  const watched = {
    ...common,
    store: {
      check: () => store.check(),
      write: async (events: readonly AuctionEvent[]) => {
        const result = await store.write(events);
        happened.push(`committed ${events.length}`);
        return result;
      },
    },
    outbox: {
      check: () => outbox.check(),
      sweep: () => outbox.sweep(),
      remove: async (ids: readonly string[]) => {
        await outbox.remove(ids);
        happened.push(`removed ${ids.length}`);
      },
      retire: async (ids: readonly string[], seconds: number) => {
        await outbox.retire(ids, seconds);
        happened.push(`retired ${ids.length}`);
      },
    },
  };
  await archiveBatch(events.map(deliver), watched, never);
  const acks = ["ack opened", "ack bid 1", "ack bid 2", "ack ended"];
  t.same(happened, ["committed 4", "removed 4", "retired 1", ...acks]);
  t.same(
    outbox.entries.map(({ id }) => id),
    [other],
    "exactly those that were archived",
  );
  t.same([...outbox.retired], [[id, 60]]);
});

t.test("one that the store refuses is found in a batch; all others are written", async (t) => {
  const { happened, store, outbox, deliver, common, value } = parts();
  const id = randomUUID();
  const bids = Array.from({ length: 11 }, (_, at) => aBid(id, at + 1));
  const entries = bids.map((bid) => outbox.append(toAppend(bid)));
  const events = bids.map((bid, at) => ({ ...bid, outbox_id: entries[at] ?? "" }));
  const bad = new Set([4, 9]);
  const picky = {
    check: () => store.check(),
    write: async (events: readonly AuctionEvent[]) => {
      if (events.some((event) => event.type === "bid" && bad.has(event.seq))) throw new DataRefused("never");
      return await store.write(events);
    },
  };
  await archiveBatch(events.map(deliver), { ...common, store: picky, outbox }, never);
  t.same(
    happened.filter((what) => what.startsWith("refuse")),
    ["refuse bid 4", "refuse bid 9"],
  );
  t.equal(happened.filter((what) => what.startsWith("ack")).length, 9);
  t.equal(store.bids.size, 9);
  t.same(
    outbox.entries.map(({ id }) => id),
    [entries[3], entries[8]],
    "their entries stay",
  );
  t.equal(await value("bidding_archive_refused_total"), 2);
});

t.test("what is no event is refused, and stands in the way of nothing", async (t) => {
  const { happened, store, outbox, deliver, common } = parts();
  const junk = [
    "",
    "{}",
    '{"type":"bid"}',
    "null",
    JSON.stringify(aBid(randomUUID(), 1)).replace(/"amount":\d+/, '"amount":1e309'),
  ];
  await archiveBatch(
    [...junk.map(deliver), deliver(aBid(randomUUID(), 1))],
    { ...common, store, outbox },
    never,
  );
  t.same(happened, [...junk.map(() => "refuse junk"), "ack bid 1"]);
});

t.test("while the store or Redis is out it tries on, and acknowledges nothing", async (t) => {
  const { happened, store, outbox, deliver, common, value } = parts();
  let outages = { store: 3, outbox: 2 };
  const failing = {
    ...common,
    store: {
      check: () => store.check(),
      write: async (events: readonly AuctionEvent[]) => {
        t.same(happened, []);
        outages = { ...outages, store: outages.store - 1 };
        if (outages.store >= 0) throw new DependencyUnavailable("out");
        return await store.write(events);
      },
    },
    outbox: {
      check: () => outbox.check(),
      sweep: () => outbox.sweep(),
      retire: (ids: readonly string[], seconds: number) => outbox.retire(ids, seconds),
      remove: async (ids: readonly string[]) => {
        t.same(happened, []);
        outages = { ...outages, outbox: outages.outbox - 1 };
        if (outages.outbox >= 0) throw new DependencyUnavailable("out");
        await outbox.remove(ids);
      },
    },
  };
  await archiveBatch([deliver(aBid(randomUUID(), 1))], failing, never);
  t.same(happened, ["ack bid 1"]);
  t.equal(await value("bidding_archive_failures_total"), 5);
});

t.test(
  "aborted in an outage it gives up; aborted in the middle of a commit, that is seen through",
  async (t) => {
    const { happened, store, outbox, deliver, common } = parts();
    const stopping = new AbortController();
    let attempts = 0;
    const out = {
      check: () => store.check(),
      write: async () => {
        attempts += 1;
        throw new DependencyUnavailable("out");
      },
    };
    const given = { ...common, backoffMs: { first: 60_000, most: 60_000 } };
    const waiting = archiveBatch(
      [deliver(aBid(randomUUID(), 1))],
      { ...given, store: out, outbox },
      stopping.signal,
    );
    await waitFor("the first attempt", () => attempts === 1);
    stopping.abort(new Error("stop"));
    await t.rejects(waiting, { message: "stop" });
    t.same(happened, []);

    const committing = Promise.withResolvers<void>();
    const slow = {
      check: () => store.check(),
      write: async (events: readonly AuctionEvent[]) => {
        await committing.promise;
        return await store.write(events);
      },
    };
    const again = new AbortController();
    const batch = archiveBatch(
      [deliver(aBid(randomUUID(), 1))],
      { ...given, store: slow, outbox },
      again.signal,
    );
    again.abort(new Error("stop"));
    committing.resolve();
    await batch;
    t.same(happened, ["ack bid 1"], "what is committed is acknowledged");
  },
);
