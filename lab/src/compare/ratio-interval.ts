/**
 * How much B differs from A, with an interval over runs: every ratio (or difference) that the permutation test does not
 * refuse. Interval and test are one question: the interval excludes "no difference" exactly when p is at most 1 − level.
 *
 * The ratio is that of the geometric means, because that is what the test compares: it is the one ratio with p = 1, so
 * it always lies in its interval; and B/A is A/B turned over, which a ratio of arithmetic means or of medians of logs of
 * even samples does not promise.
 *
 * The interval is exact, no search. Take d as the difference to be tested, and D as the one seen. Once B is moved back by
 * d, the sides are |D − d| apart; a split with difference T that has exchanged the share x (see splits.ts) sets them
 * |T − (1 − x)·d| apart. These are equal at d = (D − T)/x and at d = (D + T)/(2 − x). Between these two the split is at
 * least as far apart as what was seen, and D always lies between them. So p falls on both sides of D, and where it
 * falls to 1 − level is found by sorting the ends.
 *
 * With too few runs no ratio at all can be refused: then the interval has no end, which is said, and not filled in.
 */
import { DEFAULT_SEED, pValue, type Scale, samplesOf } from "./permutation-test.ts";
import { type Splits, splitsOf } from "./splits.ts";

/** Level of every interval and call; chosen before any run, and not to be chosen by its result. */
export const LEVEL = 0.99;

export interface Effect {
  /** `ratio`: B/A of the geometric means. `difference`: B − A of the means, where a value is not positive. */
  readonly scale: Scale;
  readonly estimate: number;
  /** Ends of the interval; null where the runs are too few to bound it. */
  readonly lower: number | null;
  readonly upper: number | null;
  readonly level: number;
  readonly p: number;
  /** How many splits the p rests on, and whether these are all that there are. */
  readonly splits: number;
  readonly exact: boolean;
}

export interface EffectOptions {
  readonly level?: number | undefined;
  /** Of the random splits, where there are too many to take all. */
  readonly seed?: number | undefined;
}

/** @throws RangeError for an empty side or a value that is not finite */
export function effectOf(a: readonly number[], b: readonly number[], options: EffectOptions = {}): Effect {
  const { level = LEVEL, seed = DEFAULT_SEED } = options;
  const { scale, tolerance, ...samples } = samplesOf(a, b);
  const splits = splitsOf(samples.a, samples.b, seed);
  const [lower, upper] = interval(splits, tolerance, level);
  const shown = (value: number) => (scale === "ratio" ? Math.exp(value) : value);
  return {
    scale,
    estimate: shown(splits.difference),
    lower: Number.isFinite(lower) ? shown(lower) : null,
    upper: Number.isFinite(upper) ? shown(upper) : null,
    level,
    p: pValue(splits, tolerance),
    splits: splits.differences.length,
    exact: splits.exact,
  };
}

/** What the ratio or the difference is when the sides are alike. */
export function noEffect(scale: Scale): number {
  return scale === "ratio" ? 1 : 0;
}

/** True when the interval leaves out "no difference"; the same as p being at most 1 − level. */
export function excludesNoEffect({ scale, lower, upper }: Effect): boolean {
  const none = noEffect(scale);
  return (lower !== null && lower > none) || (upper !== null && upper < none);
}

function interval({ difference, differences, exchanged }: Splits, tolerance: number, level: number) {
  const count = differences.length;
  const lowerEnds = new Float64Array(count);
  const upperEnds = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const other = differences[index] as number;
    const share = exchanged[index] as number;
    const ends = [
      crossing(difference - other, share, tolerance),
      crossing(difference + other, 2 - share, tolerance),
    ] as const;
    // A split that has exchanged nothing, or all of two equal sides, is as far apart as what was seen, whatever d is.
    const always = ends.includes(undefined);
    lowerEnds[index] = always ? Number.NEGATIVE_INFINITY : Math.min(...(ends as [number, number]));
    upperEnds[index] = always ? Number.POSITIVE_INFINITY : Math.max(...(ends as [number, number]));
  }
  // A difference is refused when no more than this many splits are as far apart; the one after them is the end.
  const refusing = Math.floor((1 - level) * count + 1e-9);
  lowerEnds.sort();
  upperEnds.sort();
  const lower = lowerEnds[refusing] as number;
  const upper = upperEnds[count - 1 - refusing] as number;
  // What was seen lies between them but for rounding.
  return [Math.min(lower, difference), Math.max(upper, difference)] as const;
}

/** `gap / share`; undefined for a share of nothing, and 0 for a gap that is rounding, as in pValue. */
function crossing(gap: number, share: number, tolerance: number): number | undefined {
  if (share < 1e-9) return undefined;
  return Math.abs(gap) <= tolerance ? 0 : gap / share;
}
