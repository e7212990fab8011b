/** The test's p against counting by hand, and what must never change it. */
import fc from "fast-check";
import t from "tap";
import { permutationTest } from "../../src/compare/permutation-test.ts";
import { seededRandom } from "../../src/models/seeded-random.ts";
import { side } from "./samples.ts";

t.test("five against five that do not overlap: 2 of 252", async (t) => {
  const result = permutationTest([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]);
  t.same(result, { scale: "ratio", p: 2 / 252, splits: 252, exact: true });
  t.ok(permutationTest([1, 2, 3, 4, 6], [5, 7, 8, 9, 10]).p > 0.01, "an overlap by one is not enough");
  t.ok(permutationTest([1, 2, 3, 4, 6], [6, 7, 8, 9, 10]).p > 0.01, "nor is a tie at the border");
});

t.test("four against four can never reach 0.01", async (t) => {
  t.equal(permutationTest([1, 1, 1, 1], [9, 9, 9, 9]).p, 2 / 70);
});

t.test("a zero is compared by differences, and so is a negative value", async (t) => {
  t.match(permutationTest([0, 0, 0, 0, 0], [1, 2, 1, 3, 1]), { scale: "difference", p: 2 / 252 });
  t.match(permutationTest([-1, 2], [3, 4]), { scale: "difference", p: 2 / 6 });
  t.match(permutationTest([0, 0], [0, 0]), { scale: "difference", p: 1 });
});

t.test("no values, and values that are none, are refused", async (t) => {
  t.throws(() => permutationTest([], [1]), RangeError);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => permutationTest([1, value], [1, 2]), RangeError);
});

t.test("equal values are no more extreme for having been summed in another order", async (t) => {
  // 0.1 + 0.2 is not 0.3: every split of these is exactly as far apart as what was seen.
  t.equal(permutationTest([0.1, 0.2, 0.3, 0], [0.1, 0.2, 0.3, 0]).p, 1);
  t.equal(permutationTest([0.7, 0.7, 0.7], [0.7, 0.7, 0.7]).p, 1);
  t.equal(permutationTest([1e-9, 1e9], [1e9, 1e-9]).p, 1);
});

t.test("counting by hand in whole numbers gives the same p", async () => {
  const whole = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(whole, whole, (a, b) => permutationTest(a, b).p === countedRatio(a, b)),
    { numRuns: 300, seed: 5 },
  );
  // With a zero on the one side, differences of sums are whole numbers.
  fc.assert(
    fc.property(whole, whole, (a, b) => permutationTest([0, ...a], b).p === countedDifference([0, ...a], b)),
    { numRuns: 300, seed: 5 },
  );
});

t.test("swapping the sides or scaling both changes no p", async () => {
  fc.assert(
    fc.property(side(1, 7), side(1, 7), fc.constantFrom(0.001, 0.3, 7, 1e6), (a, b, factor) => {
      const { p } = permutationTest(a, b);
      const scaled = (values: number[]) => values.map((value) => value * factor);
      return permutationTest(b, a).p === p && permutationTest(scaled(a), scaled(b)).p === p;
    }),
    { numRuns: 200, seed: 5 },
  );
});

t.test("the order of the runs within a side is of no influence", async () => {
  fc.assert(
    fc.property(
      side(2, 12),
      side(2, 12),
      (a, b) => permutationTest(a.toReversed(), b).p === permutationTest(a, b).p,
    ),
    { numRuns: 50, seed: 5 },
  );
});

t.test("too many splits: random ones, the same for a seed, near the exact p", async (t) => {
  const random = seededRandom(1);
  const draw = (factor: number) => Array.from({ length: 9 }, () => factor * (1 + random()));
  const [a, b] = [draw(1), draw(1.25)];
  const result = permutationTest(a, b);
  t.match(result, { splits: 20_001, exact: false });
  t.same(permutationTest(a, b), result);
  t.not(permutationTest(a, b, 2).p, result.p, "another seed, other splits");
  const truth = countedLogs(a, b);
  const deviation = Math.sqrt((truth * (1 - truth)) / 20_000);
  t.ok(Math.abs(result.p - truth) < 4 * deviation, `${result.p} for ${truth}`);
  t.equal(permutationTest(b, a).p, result.p);
});

t.test("a p of random splits is never 0", async (t) => {
  const a = Array.from({ length: 20 }, (_, index) => 1 + index / 100);
  const b = a.map((value) => value * 10);
  t.equal(permutationTest(a, b).p, 1 / 20_001);
});

t.test("one run against very many is no problem", async (t) => {
  const many = Array.from({ length: 19_999 }, (_, index) => 1_000 + index);
  t.match(permutationTest([1e6], many), { p: 1 / 20_000, exact: true });
  t.match(permutationTest(many, [1e6]), { p: 1 / 20_000, exact: true });
});

t.test("random numbers are spread evenly", async (t) => {
  const random = seededRandom(7);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let index = 0; index < 100_000; index += 1) {
    const cell = Math.floor(random() * 10);
    counts[cell] = (counts[cell] as number) + 1;
  }
  t.ok(
    counts.every((count) => Math.abs(count - 10_000) < 500),
    counts.join(" "),
  );
});

/** All ways to choose b.length of the values, as bit masks; the slow and plain way. */
function share(
  a: readonly number[],
  b: readonly number[],
  atLeastAsFar: (chosen: number[], rest: number[]) => boolean,
): number {
  const all = [...a, ...b];
  let [asFar, count] = [0, 0];
  for (let mask = 0; mask < 2 ** all.length; mask += 1) {
    const chosen = all.filter((_, index) => mask & (1 << index));
    if (chosen.length !== b.length) continue;
    count += 1;
    if (
      atLeastAsFar(
        chosen,
        all.filter((_, index) => !(mask & (1 << index))),
      )
    )
      asFar += 1;
  }
  return asFar / count;
}

/** Ratios of geometric means to the power of both sizes are ratios of whole numbers: no rounding. */
function countedRatio(a: readonly number[], b: readonly number[]): number {
  const power = (values: readonly number[], exponent: number) =>
    values.reduce((product, value) => product * BigInt(value), 1n) ** BigInt(exponent);
  const larger = (one: bigint, other: bigint) => (one > other ? one : other);
  const smaller = (one: bigint, other: bigint) => (one > other ? other : one);
  const [seenB, seenA] = [power(b, a.length), power(a, b.length)];
  return share(a, b, (chosen, rest) => {
    const [one, other] = [power(chosen, a.length), power(rest, b.length)];
    return larger(one, other) * smaller(seenA, seenB) >= larger(seenA, seenB) * smaller(one, other);
  });
}

function countedDifference(a: readonly number[], b: readonly number[]): number {
  const apart = (chosen: readonly number[], rest: readonly number[]) =>
    Math.abs(total(chosen) * a.length - total(rest) * b.length);
  return share(a, b, (chosen, rest) => apart(chosen, rest) >= apart(b, a));
}

function countedLogs(a: readonly number[], b: readonly number[]): number {
  const apart = (chosen: readonly number[], rest: readonly number[]) =>
    Math.abs(total(chosen.map(Math.log)) / chosen.length - total(rest.map(Math.log)) / rest.length);
  const seen = apart(b, a);
  return share(a, b, (chosen, rest) => apart(chosen, rest) >= seen - 1e-12);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
