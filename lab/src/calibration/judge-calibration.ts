/**
 * What the pairs of a calibration come to: how often comparisons cry wolf, whether they find what was planted, and how
 * small a slow-down they would have shown.
 *
 * - **A/A pair**: two sets of runs of one and the same thing. Any call of a difference is a false one. The exact test of
 *   five against five makes one in 2 of 252 by its construction.
 * - **slow-down pair**: B's service time is longer by a known share. It is found when B is called worse.
 * - **smallest slow-down shown**: the interval of an A/A pair is made of the ratios that its test does not refuse, in
 *   logarithms. If all of B had been slower by a factor, the interval would lie higher by that factor and nowhere else,
 *   and would leave out all up to 1.01, the least that is called, from 1.01/lower on. So each A/A pair tells the least factor that it would have called worse.
 */

import type { Comparison } from "../compare/compare-sets.ts";
import { type Call, LEAST_RATIO } from "../compare/metrics.ts";

export type PairKind = "A/A" | "slow-down";

export interface PairResult {
  readonly kind: PairKind;
  /** 1 and up among those of its kind. */
  readonly number: number;
  /** Of the primary metric, B/A. */
  readonly ratio: number;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly call: Call;
  /** The metrics beside the primary one. */
  readonly others: { readonly metrics: number; readonly called: number };
  /** Where the bundles are, in the order in which they were made. */
  readonly runs: { readonly a: readonly string[]; readonly b: readonly string[] };
}

export interface Check {
  readonly pairs: number;
  /** Called different, or found. */
  readonly count: number;
  /** The most, or the least, of these that may be. */
  readonly limit: number;
  /** null: no pair was made, which shows nothing. */
  readonly held: boolean | null;
}

export interface CalibrationFigures {
  /** `broken` when either check is; `undecided` when one was not made. */
  readonly outcome: "held" | "broken" | "undecided";
  readonly false_calls: Check;
  readonly slow_downs: Check;
  /** What the planted slow-downs were measured as: the ratio of the middle pair; null without one. */
  readonly slow_down_measured: number | null;
  /** Of A/A pairs: the interval reaches from 1/(1 + x) to 1 + x times the ratio; x of the middle pair. */
  readonly interval_half_width: number | null;
  /** Smallest slow-down shown, as a share: by half of the A/A pairs, and by 95 of 100. */
  readonly smallest_shown: { readonly by_half: number | null; readonly by_95_percent: number | null };
  /** Calls among the metrics beside the primary one, in A/A pairs. Told and not judged: they hang together. */
  readonly other_metrics: { readonly compared: number; readonly called: number };
}

/** Of A/A pairs: at most 2 of 100 may be called different; of fewer, that share rounded up. */
export const MOST_FALSE = 0.02;
/** Of slow-down pairs: at least 95 of 100 must be found. */
export const LEAST_FOUND = 0.95;

export function pairResult(
  kind: PairKind,
  number: number,
  { headline, metrics, a, b }: Comparison,
): PairResult {
  if (headline === null) throw new Error("the runs of a calibration do not have its primary metric");
  const others = metrics.filter((metric) => metric !== headline);
  return {
    kind,
    number,
    ratio: headline.effect.estimate,
    lower: headline.effect.lower,
    upper: headline.effect.upper,
    call: headline.call,
    others: { metrics: others.length, called: others.filter(({ call }) => isDifferent(call)).length },
    runs: { a: a.runs, b: b.runs },
  };
}

/** Also of a calibration that was cut short: what there is of it. */
export function judgeCalibration(pairs: readonly PairResult[]): CalibrationFigures {
  const same = pairs.filter(({ kind }) => kind === "A/A");
  const slow = pairs.filter(({ kind }) => kind === "slow-down");
  const called = same.filter(({ call }) => isDifferent(call)).length;
  const found = slow.filter(({ call }) => call === "worse").length;
  // Less the rounding of a product: 0.02 × 50 may be a little more than 1.
  const most = Math.ceil(same.length * MOST_FALSE - 1e-9);
  const least = Math.ceil(slow.length * LEAST_FOUND - 1e-9);
  const false_calls = checkOf(same.length, called, most, called <= most);
  const slow_downs = checkOf(slow.length, found, least, found >= least);
  const shown = same.map(({ lower }) => Math.max(0, LEAST_RATIO / (lower ?? 0) - 1));
  return {
    outcome: outcomeOf([false_calls, slow_downs]),
    false_calls,
    slow_downs,
    slow_down_measured: atShare(
      slow.map(({ ratio }) => ratio),
      0.5,
    ),
    interval_half_width: atShare(
      same.map(({ lower, upper }) => Math.sqrt((upper ?? Number.POSITIVE_INFINITY) / (lower ?? 0)) - 1),
      0.5,
    ),
    smallest_shown: { by_half: atShare(shown, 0.5), by_95_percent: atShare(shown, 0.95) },
    other_metrics: {
      compared: same.reduce((sum, { others }) => sum + others.metrics, 0),
      called: same.reduce((sum, { others }) => sum + others.called, 0),
    },
  };
}

function checkOf(pairs: number, count: number, limit: number, held: boolean): Check {
  return { pairs, count, limit, held: pairs === 0 ? null : held };
}

function outcomeOf(checks: readonly Check[]): CalibrationFigures["outcome"] {
  if (checks.some(({ held }) => held === false)) return "broken";
  return checks.every(({ held }) => held) ? "held" : "undecided";
}

export function isDifferent(call: Call): boolean {
  return call === "better" || call === "worse" || call === "differs";
}

/** The least value that this share of the values does not exceed; null where it is not known or not bounded. */
function atShare(values: readonly number[], share: number): number | null {
  const value = values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1];
  return value === undefined || !Number.isFinite(value) ? null : value;
}
