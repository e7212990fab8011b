import fc from "fast-check";
import t from "tap";
import { Slots } from "../../src/consumer/slots.ts";

t.test("gives what is free, at most what is asked for, and waits for the first", async (t) => {
  const slots = new Slots(3);
  const { signal } = new AbortController();
  t.equal(await slots.take(2, signal), 2);
  t.equal(await slots.take(10, signal), 1);
  const waiting = slots.take(10, signal);
  slots.give(2);
  t.equal(await waiting, 2);
});

t.test("an abort ends the wait with nothing", async (t) => {
  const slots = new Slots(1);
  const stopping = new AbortController();
  await slots.take(1, stopping.signal);
  const waiting = slots.take(1, stopping.signal);
  stopping.abort();
  t.equal(await waiting, 0);
  slots.give(1);
  t.equal(await slots.take(1, stopping.signal), 0, "nothing is given to what has been aborted");
});

t.test("property: never more taken than there are, and nobody waits for ever", async (t) => {
  const property = fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 30 }),
      async (count, wishes) => {
        const slots = new Slots(count);
        const { signal } = new AbortController();
        let taken = 0;
        let sound = true;
        await Promise.all(
          wishes.map(async (wish) => {
            const got = await slots.take(wish, signal);
            taken += got;
            sound &&= got >= 1 && got <= wish && taken <= count;
            await new Promise(setImmediate);
            taken -= got;
            slots.give(got);
          }),
        );
        return sound && taken === 0;
      },
    ),
    { numRuns: 100 },
  );
  await t.resolves(property);
});

t.test(
  "shrinking takes nothing away and gives nothing until there are fewer taken than there are",
  async (t) => {
    const slots = new Slots(10);
    const { signal } = new AbortController();
    t.equal(await slots.take(8, signal), 8);
    slots.resize(5);
    const waiting = slots.take(10, signal);
    slots.give(3);
    slots.give(2);
    t.equal(await waiting, 2);
    slots.resize(7);
    t.equal(await slots.take(10, signal), 2, "growing gives at once");
  },
);
