import { randomUUID } from "node:crypto";
import { createMetrics, DependencyUnavailable } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t from "tap";
import { MemoryArchiveStore } from "../../src/adapters/memory-archive-store.ts";
import { MemoryEventStream } from "../../src/adapters/memory-event-stream.ts";
import { MemoryOutbox } from "../../src/adapters/memory-outbox.ts";
import { type ArchiverParts, startArchiver } from "../../src/archiver/archiver.ts";
import { createArchiverMetrics } from "../../src/archiver/metrics.ts";
import { eventOf } from "../../src/domain/outbox.ts";
import { MemoryTurns } from "../memory-turns.ts";
import { aStory, toAppend } from "../some-events.ts";

/** A stream, an outbox with what is in the stream too, and an archiver's parts. */
function world(t: Pick<Test, "teardown">, given: Partial<ArchiverParts> = {}) {
  const stream = new MemoryEventStream({ patienceMs: 1500 });
  t.teardown(() => stream[Symbol.dispose]());
  const outbox = new MemoryOutbox();
  const store = new MemoryArchiveStore();
  const metrics = createMetrics("test");
  const parts: ArchiverParts = {
    source: stream,
    turn: new MemoryTurns(),
    store,
    outbox,
    logger: silentLogger(),
    metrics: createArchiverMetrics(metrics),
    batch: 10,
    waitMs: 5,
    retentionSeconds: 60,
    backoffMs: { first: 5, most: 20 },
    ...given,
  };
  const publish = async (bids: number, id: string = randomUUID()) => {
    for (const event of aStory(bids, id)) outbox.append(toAppend(event));
    for (const entry of outbox.entries) await stream.publish(eventOf(entry));
  };
  const archived = () => outbox.entries.length === 0 && store.ended.size > 0;
  return { stream, outbox, store, metrics, parts, publish, archived };
}
type Test = typeof t;

t.test("what is published is archived, and nothing is left", async (t) => {
  const { stream, store, parts, publish, archived } = world(t);
  const archiver = startArchiver(parts);
  await publish(100);
  await waitFor("all of it to be archived", archived);
  t.equal(store.bids.size, 100);
  await waitFor("the acknowledgements", async () => (await stream.inspect()).waiting === 0);
  await archiver.stop();
  t.equal(archiver.active, false);
});

t.test("of two one is active; the other takes over", async (t) => {
  const turn = new MemoryTurns();
  const { parts, publish, archived } = world(t, { turn });
  const [one, two] = [startArchiver(parts), startArchiver(parts)];
  await waitFor("one to be active", () => one.active);
  t.notOk(two.active);
  await one.stop();
  await waitFor("the other", () => two.active);
  await publish(5);
  await waitFor("all of it", archived);
  turn.lose();
  await waitFor("its turn again", () => two.active);
  await two.stop();
});

t.test(
  "while the store is away nothing is acknowledged, no more is held, and nothing is delivered twice",
  async (t) => {
    const { stream, store, parts, publish, archived, outbox } = world(t);
    let away = true;
    let attempts = 0;
    const out = {
      check: () => store.check(),
      write: async (events: Parameters<typeof store.write>[0]) => {
        attempts += 1;
        if (away) throw new DependencyUnavailable("out");
        return await store.write(events);
      },
    };
    const archiver = startArchiver({ ...parts, store: out });
    await publish(100);
    const delivered = () => [...stream.delivered.values()].reduce((sum, times) => sum + times, 0);
    // Longer than a delivery may be held without a word.
    const until = performance.now() + 4000;
    await waitFor("an outage of some length", () => performance.now() > until);
    t.equal(delivered(), 30, "three batches of ten, once each");
    t.equal(outbox.entries.length, 102);
    t.ok(attempts < 800, `${attempts} attempts in four seconds are no busy loop`);
    away = false;
    await waitFor("all of it", archived);
    t.equal(store.bids.size, 100);
    await archiver.stop();
  },
);

t.test("a stream that goes away, and one that loses its disk", async (t) => {
  const { stream, store, outbox, parts, publish, archived } = world(t);
  const archiver = startArchiver(parts);
  stream.goAway();
  const id = randomUUID();
  for (const event of aStory(20, id)) outbox.append(toAppend(event));
  stream.comeBack();
  await publish(0, randomUUID());
  await waitFor("all of it", archived);
  t.equal(store.bids.size, 20);
  stream.loseDisk();
  await publish(7);
  await waitFor("what came after", () => store.bids.size === 27 && archived());
  await archiver.stop();
});

t.test("stopped in an outage of the store, it gives back what it holds at once", async (t) => {
  const { store, parts } = world(t);
  const source = new MemoryEventStream({ patienceMs: 60_000 });
  t.teardown(() => source[Symbol.dispose]());
  const out = {
    check: () => store.check(),
    write: async () => {
      throw new DependencyUnavailable("out");
    },
  };
  const story = aStory(5);
  for (const event of story) await source.publish(event);
  const one = startArchiver({ ...parts, store: out, source });
  await waitFor("it to hold them", () => source.delivered.size === 7);
  await one.stop();
  const two = startArchiver({ ...parts, source });
  await waitFor("another one to have archived them", () => store.bids.size === 5 && store.ended.size === 1);
  await two.stop();
  t.same(
    [...source.delivered.values()],
    story.map(() => 2),
  );
});

t.test("the list of auctions is swept while it is active", async (t) => {
  let sweeps = 0;
  const outbox = Object.assign(new MemoryOutbox(), {
    async sweep() {
      sweeps += 1;
      return sweeps < 3 ? 1000 : 0;
    },
  });
  const { parts } = world(t, { outbox });
  const archiver = startArchiver(parts);
  await waitFor("a sweep, again at once while there is more", () => sweeps === 3);
  await archiver.stop();
});
