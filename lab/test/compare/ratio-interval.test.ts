/** The interval says what the test says, moves as the values move, and tells when it has no end. */
import fc from "fast-check";
import t, { type Test } from "tap";
import { permutationTest } from "../../src/compare/permutation-test.ts";
import { effectOf, excludesNoEffect } from "../../src/compare/ratio-interval.ts";
import { mean } from "../../src/compare/splits.ts";
import { side } from "./samples.ts";

const A = [10, 10.2, 9.9, 10.1, 10.3];
const B = [12, 12.3, 11.9, 12.5, 12.1];
const seeded = { numRuns: 300, seed: 5 };

t.test(
  "five against five: from the least B over the largest A to the largest B over the least A",
  async (t) => {
    const effect = effectOf(A, B);
    near(t, effect.estimate, 1.2039, 1e-4);
    near(t, effect.lower, 11.9 / 10.3);
    near(t, effect.upper, 12.5 / 9.9);
    t.match(effect, { scale: "ratio", level: 0.99, p: 2 / 252, splits: 252, exact: true });
    fc.assert(
      fc.property(side(5, 5), side(5, 5), (a, b) => {
        const { lower, upper } = effectOf(a, b);
        return close(lower, Math.min(...b) / Math.max(...a)) && close(upper, Math.max(...b) / Math.min(...a));
      }),
      seeded,
    );
  },
);

t.test("the interval excludes 1 exactly when p is at most 0.01", async () => {
  fc.assert(
    fc.property(side(1, 8), side(1, 8), fc.constantFrom(1, 1.5, 4), (a, b, factor) => {
      const moved = b.map((value) => value * factor);
      const effect = effectOf(a, moved);
      return excludesNoEffect(effect) === effect.p <= 0.01 && effect.p === permutationTest(a, moved).p;
    }),
    seeded,
  );
});

t.test("and so where splits are drawn, and at other levels", async () => {
  fc.assert(
    fc.property(side(9, 12), side(9, 12), fc.constantFrom(0.9, 0.95, 0.99), (a, b, level) => {
      const effect = effectOf(a, b, { level });
      return excludesNoEffect(effect) === effect.p <= 1 - level + 1e-12;
    }),
    { numRuns: 40, seed: 5 },
  );
});

t.test(
  "every ratio inside is one that the test does not refuse, every ratio outside one that it does",
  async () => {
    fc.assert(
      fc.property(side(5, 7), side(5, 7), fc.double({ min: 0.3, max: 3, noNaN: true }), (a, b, ratio) => {
        const { lower, upper } = effectOf(a, b);
        const backwards = b.map((value) => value / ratio);
        const [from, to] = [lower ?? 0, upper ?? Number.POSITIVE_INFINITY];
        // A hair's breadth from an end, rounding decides.
        if ([from, to].some((end) => close(end, ratio, 1e-6))) return true;
        return permutationTest(a, backwards).p <= 0.01 === (ratio < from || ratio > to);
      }),
      seeded,
    );
  },
);

t.test("the estimate lies in its interval", async () => {
  const withZeros = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 7 });
  for (const values of [side(1, 7), withZeros])
    fc.assert(
      fc.property(values, values, (a, b) => {
        const { estimate, lower, upper } = effectOf(a, b);
        return (lower === null || lower <= estimate) && (upper === null || estimate <= upper);
      }),
      seeded,
    );
});

t.test("swapping the sides turns ratio and interval over", async () => {
  for (const [fewest, most, numRuns] of [
    [1, 7, 300],
    [9, 11, 30],
  ] as const)
    fc.assert(
      fc.property(side(fewest, most), side(fewest, most), (a, b) => {
        const [there, back] = [effectOf(a, b), effectOf(b, a)];
        const over = (value: number | null) => (value === null ? null : 1 / value);
        return (
          close(back.estimate, 1 / there.estimate) &&
          close(back.lower, over(there.upper)) &&
          close(back.upper, over(there.lower)) &&
          back.p === there.p
        );
      }),
      { ...seeded, numRuns },
    );
});

t.test("scaling both sides changes nothing; scaling B scales ratio and interval", async () => {
  fc.assert(
    fc.property(side(5, 7), side(5, 7), fc.constantFrom(1e-6, 0.7, 3, 1e9), (a, b, factor) => {
      const scaled = (values: number[]) => values.map((value) => value * factor);
      const [plain, both, onlyB] = [effectOf(a, b), effectOf(scaled(a), scaled(b)), effectOf(a, scaled(b))];
      const times = (value: number | null) => (value === null ? null : value * factor);
      return (
        both.p === plain.p &&
        close(both.estimate, plain.estimate) &&
        close(both.lower, plain.lower) &&
        close(both.upper, plain.upper) &&
        close(onlyB.estimate, plain.estimate * factor) &&
        close(onlyB.lower, times(plain.lower)) &&
        close(onlyB.upper, times(plain.upper))
      );
    }),
    seeded,
  );
});

t.test("too few runs cannot bound it, whatever they show", async (t) => {
  for (const runs of [1, 2, 3, 4])
    t.match(effectOf(A.slice(0, runs), B.slice(0, runs)), { lower: null, upper: null }, `${runs} runs`);
  t.ok(effectOf(A.slice(0, 1), B.slice(0, 1)).estimate > 1, "the ratio is said all the same");
});

t.test("with a zero it is the difference of the means", async (t) => {
  const effect = effectOf([0, 0, 0, 0, 0], [2, 3, 4, 3, 3]);
  t.match(effect, { scale: "difference", p: 2 / 252 });
  near(t, effect.lower, 2);
  near(t, effect.upper, 4);
  near(t, effect.estimate, mean([2, 3, 4, 3, 3]));
  t.ok(excludesNoEffect(effect));
  t.match(effectOf([0, 0, 0, 0, 0], [0, 0, 0, 0, 0]), { estimate: 0, lower: 0, upper: 0, p: 1 });
});

t.test("a touching end is not excluded by rounding", async (t) => {
  // The largest A and the least B are one value, of a kind that binary fractions cannot hold.
  const effect = effectOf([0.1, 0.11, 0.12, 0.13, 0.3], [0.3, 0.31, 0.32, 0.33, 0.34]);
  t.equal(effect.lower, 1);
  t.notOk(excludesNoEffect(effect));
});

function near(t: Test, actual: number | null, expected: number, within = 1e-9): void {
  t.ok(close(actual, expected, within), `${actual} is ${expected}`);
}

function close(actual: number | null, expected: number | null, within = 1e-9): boolean {
  if (actual === null || expected === null) return actual === expected;
  return Math.abs(actual - expected) <= within * Math.max(1e-300, Math.abs(expected));
}
