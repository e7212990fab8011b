import fc from "fast-check";
import t from "tap";
import { createBatcher } from "../src/batcher.ts";

t.test("sends at once when full, and otherwise when the lingering is over", async (t) => {
  const sent: number[][] = [];
  const batcher = createBatcher<number>({
    max: 3,
    lingerMs: 5,
    send: async (items) => {
      sent.push([...items]);
      return [];
    },
  });
  await Promise.all([1, 2, 3, 4].map((item) => batcher.add(item)));
  t.same(sent, [[1, 2, 3], [4]]);
});

t.test("each item has its own outcome", async (t) => {
  const batcher = createBatcher<number>({
    max: 10,
    lingerMs: 1,
    send: async (items) => items.filter((item) => item % 2 === 0),
  });
  const outcomes = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
  t.same(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
});

t.test("a batch that cannot be sent rejects all of its items", async (t) => {
  const down = new Error("down");
  const batcher = createBatcher<number>({ max: 2, lingerMs: 1, send: () => Promise.reject(down) });
  const outcomes = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
  t.ok(outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason === down));
});

t.test("flush sends what waits and waits for what is sent", async (t) => {
  const sent: number[] = [];
  const batcher = createBatcher<number>({
    max: 10,
    lingerMs: 60_000,
    send: async (items) => {
      await new Promise(setImmediate);
      sent.push(...items);
      return [];
    },
  });
  const added = batcher.add(1);
  await batcher.flush();
  t.same(sent, [1]);
  await added;
});

t.test("property: every item is sent once, in order, in batches of at most max", async (t) => {
  const property = fc.assert(
    fc.asyncProperty(fc.array(fc.nat()), fc.integer({ min: 1, max: 10 }), async (items, max) => {
      const batches: number[][] = [];
      const batcher = createBatcher<number>({
        max,
        lingerMs: 0,
        send: async (batch) => {
          batches.push([...batch]);
          return [];
        },
      });
      await Promise.all([...items.map((item) => batcher.add(item)), batcher.flush()]);
      return (
        batches.flat().join() === items.join() && batches.every(({ length }) => length >= 1 && length <= max)
      );
    }),
    { numRuns: 100 },
  );
  await t.resolves(property);
});

t.test("gathers what one turn of the loop brings, and keeps none of it for the next", async (t) => {
  const sent: number[][] = [];
  const batcher = createBatcher<number>({
    max: 10,
    lingerMs: "this turn",
    send: async (items) => {
      sent.push([...items]);
      return new Map(items.filter((item) => item === 2).map((item) => [item, new Error("two")]));
    },
  });
  const ends = Promise.allSettled([batcher.add(1), Promise.resolve().then(() => batcher.add(2))]);
  // A timer of no time at all may end in the same turn: this one comes after what the turn has gathered.
  await new Promise((resolve) => setImmediate(resolve));
  await batcher.add(3);
  t.same(sent, [[1, 2], [3]]);
  t.match(await ends, [{ status: "fulfilled" }, { status: "rejected", reason: { message: "two" } }]);
});
