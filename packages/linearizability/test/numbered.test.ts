/** Numbers that agree with the clock, and numbers that do not. */

import fc from "fast-check";
import t from "tap";
import { type Call, checkLinearizable, checkNumbered, type Model } from "../src/index.ts";

type Row = readonly [number: number, began: number, ended: number];

const columns = (rows: readonly Row[]) => ({
  numbers: rows.map(([number]) => number),
  began: rows.map(([, began]) => began),
  ended: rows.map(([, , ended]) => ended),
});

t.test("in the order of the clock", async (t) => {
  const verdict = checkNumbered(
    columns([
      [1, 0, 10],
      [2, 5, 15],
      [3, 20, 30],
    ]),
  );
  t.same(verdict, { checked: 3, violations: 0, examples: [] });
});

t.test("concurrent operations may have either order, also when they touch", async (t) => {
  t.equal(
    checkNumbered(
      columns([
        [2, 0, 10],
        [1, 5, 15],
      ]),
    ).violations,
    0,
  );
  t.equal(
    checkNumbered(
      columns([
        [2, 0, 10],
        [1, 10, 15],
      ]),
    ).violations,
    0,
  );
});

t.test("what had ended before another began has the lower number", async (t) => {
  const verdict = checkNumbered(
    columns([
      [1, 0, 1],
      [3, 2, 3],
      [2, 4, 5],
    ]),
  );
  t.same(verdict, { checked: 3, violations: 1, examples: [{ early: 1, late: 2 }] });
});

t.test("the same number is no order", async (t) => {
  t.equal(
    checkNumbered(
      columns([
        [1, 0, 1],
        [1, 2, 3],
        [1, -5, -4],
      ]),
    ).violations,
    0,
  );
  t.equal(
    checkNumbered(
      columns([
        [1.5, 0, 1],
        [1, 2, 3],
        [1.5, 4, 5],
      ]),
    ).violations,
    1,
  );
});

t.test("without an answer it may be late, and not early", async (t) => {
  const forever = Number.POSITIVE_INFINITY;
  t.equal(
    checkNumbered(
      columns([
        [5, 0, forever],
        [1, 10, 11],
      ]),
    ).violations,
    0,
  );
  t.equal(
    checkNumbered(
      columns([
        [1, 10, forever],
        [5, 0, 1],
      ]),
    ).violations,
    1,
  );
});

t.test("what is no history is refused", async (t) => {
  t.throws(() => checkNumbered(columns([[1, Number.NaN, 1]])), RangeError);
  t.throws(() => checkNumbered({ numbers: [1], began: [], ended: [1] }), RangeError);
});

t.test("at most ten examples, however many there are", async (t) => {
  const rows = Array.from({ length: 1000 }, (_, at): Row => [1000 - at, at * 10, at * 10 + 1]);
  const verdict = checkNumbered(columns(rows));
  t.equal(verdict.violations, 999);
  t.equal(verdict.examples.length, 10);
});

/** A counter, each of whose increments is told what it made. */
const counter: Model<number, number> = {
  init: 0,
  step: (state, answer) => (answer === state + 1 ? [answer] : []),
  key: String,
};

t.test("of numbers 1 to n it says what the search says of a counter", async (t) => {
  const found = { linearizable: 0, illegal: 0 };
  const intervals = fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 20 })), {
    minLength: 1,
    maxLength: 8,
  });
  const history = intervals.chain((all) =>
    fc
      .shuffledSubarray(
        all.map((_, at) => at + 1),
        { minLength: all.length },
      )
      .map((numbers) => all.map(([began, took], at): Row => [numbers[at] as number, began, began + took])),
  );
  fc.assert(
    fc.property(history, (rows) => {
      const calls = rows.map(([operation, began, ended]): Call<number> => ({ operation, began, ended }));
      const { outcome } = checkLinearizable(counter, calls);
      if (outcome === "undecided") return false;
      found[outcome] += 1;
      return (outcome === "linearizable") === (checkNumbered(columns(rows)).violations === 0);
    }),
    { seed: 1993, numRuns: 2000 },
  );
  t.ok(found.linearizable > 100 && found.illegal > 100, JSON.stringify(found));
});
