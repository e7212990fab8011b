import assert from "node:assert/strict";
import { Overloaded } from "@parallax/service";
import fc from "fast-check";
import t from "tap";
import { Line } from "../../src/payments/line.ts";

const never = new AbortController().signal;

/** Work that goes on until it is told to end. */
function work() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { run: () => promise, end: resolve };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

type Step = { readonly do: "join" | "finish" | "abort"; readonly pick: number };
const steps = fc.array(
  fc.record<Step>({ do: fc.constantFrom("join", "join", "finish", "abort"), pick: fc.nat(1000) }),
  { maxLength: 60 },
);

t.test("property: in any schedule the limit holds, turns come in order, whoever aborts leaves", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      steps,
      async (most, limit, steps) => {
        const line = new Line(most, limit);
        // The model: who is inside, who waits, in order.
        const inside: number[] = [];
        const waiting: number[] = [];
        const entered: number[] = [];
        const guests: { end(): void; abort: AbortController; outcome: Promise<unknown> }[] = [];
        const advance = () => {
          while (inside.length < most && waiting.length > 0) inside.push(waiting.shift() as number);
        };
        for (const step of steps) {
          if (step.do === "join") {
            const id = guests.length;
            const { run, end } = work();
            const abort = new AbortController();
            const outcome = line
              .through(() => {
                entered.push(id);
                return run();
              }, abort.signal)
              .then(
                () => "done",
                (error: unknown) => error,
              );
            guests.push({ end, abort, outcome });
            if (inside.length < most || waiting.length < limit) waiting.push(id);
            else assert.ok((await outcome) instanceof Overloaded);
          } else if (step.do === "finish" && inside.length > 0) {
            const [id] = inside.splice(step.pick % inside.length, 1) as [number];
            guests[id]?.end();
            assert.equal(await guests[id]?.outcome, "done");
          } else if (step.do === "abort" && waiting.length > 0) {
            const [id] = waiting.splice(step.pick % waiting.length, 1) as [number];
            guests[id]?.abort.abort("gone");
            assert.equal(await guests[id]?.outcome, "gone");
          }
          advance();
          await settled();
          assert.deepEqual([line.inside, line.waiting], [inside.length, waiting.length]);
          assert.ok(line.mostInside <= most);
          assert.deepEqual(
            entered,
            entered.toSorted((a, b) => a - b),
            "first come, first served",
          );
          assert.ok(
            inside.every((id) => entered.includes(id)) && !waiting.some((id) => entered.includes(id)),
          );
        }
        for (const guest of guests) guest.end();
        await Promise.all(guests.map(({ outcome }) => outcome));
        assert.deepEqual([line.inside, line.waiting], [0, 0]);
      },
    ),
  );
  t.pass();
});

t.test("0 is no limit at all", async (t) => {
  const line = new Line(0, 1);
  const { run, end } = work();
  const all = Promise.all(Array.from({ length: 500 }, () => line.through(run, never)));
  await settled();
  t.same([line.inside, line.waiting], [500, 0]);
  end();
  await all;
  t.same([line.inside, line.mostInside], [0, 500]);
});

t.test("work that throws lets the next one in", async (t) => {
  const line = new Line(1, 10);
  const failed = line.through(() => Promise.reject(new Error("card refused")), never);
  const next = line.through(async () => "paid", never);
  await t.rejects(failed, { message: "card refused" });
  t.equal(await next, "paid");
  await t.rejects(
    line.through(() => {
      throw new Error("at once");
    }, never),
    { message: "at once" },
  );
  t.equal(line.inside, 0);
});

t.test("a full line says when to come again; one that is aborted already never enters", async (t) => {
  const line = new Line(1, 1);
  const { run, end } = work();
  const both = [line.through(run, never), line.through(run, never)];
  await t.rejects(line.through(run, never), { code: "OVERLOADED", details: { retryAfterSeconds: 5 } });
  end();
  await Promise.all(both);
  await t.rejects(line.through(run, AbortSignal.abort(new Error("gone"))), { message: "gone" });
  t.equal(line.mostInside, 1);
});

t.test("an abort after the work began changes nothing", async (t) => {
  const line = new Line(1, 1);
  const abort = new AbortController();
  const { run, end } = work();
  const done = line.through(run, abort.signal);
  abort.abort();
  t.equal(line.inside, 1);
  end();
  await done;
});
