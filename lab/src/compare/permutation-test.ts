/**
 * The two-sample permutation test: how often would chance alone, dealing the same runs to the two sides, set the sides as
 * far apart as they are?
 *
 * - Positive values are compared as a **ratio**: the test's statistic is the difference of the means of their logarithms,
 *   since noise in latencies is relative. Where a value is zero or negative (error counts), there is no ratio, and the
 *   **difference** of the means is taken. The result says which.
 * - Two-sided: a split counts that sets the sides at least as far apart, in either direction.
 * - Five against five make 252 splits. The least p is 2/252 = 0.0079; it takes two sides that do not overlap at all.
 */
import { type Splits, splitsOf } from "./splits.ts";

/** What is said of the sides: B/A, or B − A. */
export type Scale = "ratio" | "difference";

export interface PermutationTest {
  readonly scale: Scale;
  /** Share of the splits that are at least as far apart as what was seen. Never 0. */
  readonly p: number;
  /** How many splits were looked at, and whether these are all. */
  readonly splits: number;
  readonly exact: boolean;
}

/** Two samples, ready to be compared by the difference of their means. */
export interface Samples {
  readonly scale: Scale;
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** Differences that are no larger than this one are rounding, not measurement. */
  readonly tolerance: number;
}

export const DEFAULT_SEED = 20_100_101;

/** One part in ten thousand million: far below what is measured, far above what sums of floating point lose. */
const ROUNDING = 1e-10;

/**
 * @param seed of the random splits, where there are too many to take all
 * @throws RangeError for an empty side or a value that is not finite
 */
export function permutationTest(
  a: readonly number[],
  b: readonly number[],
  seed: number = DEFAULT_SEED,
): PermutationTest {
  const samples = samplesOf(a, b);
  const splits = splitsOf(samples.a, samples.b, seed);
  return {
    scale: samples.scale,
    p: pValue(splits, samples.tolerance),
    splits: splits.differences.length,
    exact: splits.exact,
  };
}

/** Logarithms where all values have one, the values themselves otherwise. */
export function samplesOf(a: readonly number[], b: readonly number[]): Samples {
  const all = [...a, ...b];
  if (all.every((value) => value > 0 && Number.isFinite(value)))
    return { scale: "ratio", a: a.map(Math.log), b: b.map(Math.log), tolerance: ROUNDING };
  const largest = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { scale: "difference", a, b, tolerance: ROUNDING * largest };
}

export function pValue({ difference, differences }: Splits, tolerance: number): number {
  // Asked like this, and not with absolute values, so that it is the same question as the interval's: see ratio-interval.
  const seen = Math.abs(difference);
  let asFar = 0;
  for (const other of differences) if (seen - other <= tolerance || seen + other <= tolerance) asFar += 1;
  return asFar / differences.length;
}
