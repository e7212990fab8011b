/**
 * Compares two sets of runs, metric by metric; a run is one value of each metric, so the intervals are over runs and not
 * over requests.
 *
 * One metric, named before the runs are looked at, makes the headline. The others are each judged at the same level by
 * themselves: of a hundred metrics that do not differ, about one is called different.
 *
 * What is recorded about the runs (commit, machine, parameters) is compared too: a ratio between sides that differ in two
 * things is the ratio of neither.
 */
import { basename } from "node:path";
import { median } from "../util/median.ts";
import { type Call, callOf, DEFAULT_PRIMARY_METRIC, type Metric, metricOf } from "./metrics.ts";
import { type Effect, type EffectOptions, effectOf, LEVEL } from "./ratio-interval.ts";
import { mean } from "./splits.ts";

/** One run, as far as it can be compared. */
export interface ComparableRun {
  readonly directory: string;
  /** By name; what was not measured is left out. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What the run was made of, with and on: commit, machine, runtime, parameters. */
  readonly about: Readonly<Record<string, string>>;
}

export interface CompareOptions extends EffectOptions {
  /** The metric of the headline. */
  readonly primary?: string | undefined;
  /** What people call the sides; "A" and "B". */
  readonly names?: readonly [a: string, b: string] | undefined;
}

export interface Comparison {
  readonly a: Side;
  readonly b: Side;
  readonly level: number;
  /** The name that was asked for, whether the runs have it or not. */
  readonly primary: string;
  /**
   * Steps in which requests failed, on either side. Failed requests are among the latencies, so that quick errors make a
   * side look better: no headline should be told without these.
   */
  readonly failures: readonly FailedRequests[];
  /** What the comparison says; null when the runs of a side do not have the primary metric. */
  readonly headline: MetricComparison | null;
  /** Each metric that both sides have, the primary one first. */
  readonly metrics: readonly MetricComparison[];
  /** Metrics that only one side has. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  /** How many calls of "different" are to be expected by chance among the metrics that are not the primary one. */
  readonly expectedFalseCalls: number;
  /** What is recorded about the runs and not the same in all of them. */
  readonly differences: readonly AboutDifference[];
  /**
   * False when one side was made first and the other after it: what changed on the machine meanwhile then falls on one side
   * only. Null where the times are not known, or a side has but one run.
   */
  readonly inTurns: boolean | null;
}

export interface Side {
  readonly name: string;
  readonly runs: readonly string[];
}

export interface FailedRequests {
  /** The share's metric, `error_share` or `r200/error_share`. */
  readonly metric: string;
  /** Shares from 0 to 1, means of the runs; null on a side that does not have the step. */
  readonly a: number | null;
  readonly b: number | null;
}

export interface MetricComparison extends Metric {
  readonly a: SideSummary;
  readonly b: SideSummary;
  readonly effect: Effect;
  readonly call: Call;
}

export interface SideSummary {
  readonly median: number;
  /** The values, in the order of the runs. */
  readonly values: readonly number[];
  /** Runs that have no value of this metric, or one that is not a finite number. */
  readonly missing: number;
}

export interface AboutDifference {
  readonly what: string;
  /** Each value once. */
  readonly a: readonly string[];
  readonly b: readonly string[];
  /** `between`: the sides differ in it. `within`: the runs of one side differ among themselves. */
  readonly kind: "between" | "within";
}

const NOT_RECORDED = "(not recorded)";

/** @throws RangeError when a side is empty */
export function compareSets(
  a: readonly ComparableRun[],
  b: readonly ComparableRun[],
  options: CompareOptions = {},
): Comparison {
  if (a.length === 0 || b.length === 0) throw new RangeError("Each side needs a run.");
  const { primary = DEFAULT_PRIMARY_METRIC, names = ["A", "B"], level = LEVEL } = options;

  const [ofA, ofB] = [metricNames(a), metricNames(b)];
  const shared = [...ofA].filter((name) => ofB.has(name));
  const metrics = shared
    .map((name) => compareMetric(metricOf(name), a, b, { ...options, level }))
    .toSorted((one, other) => Number(other.name === primary) - Number(one.name === primary));
  const headline = metrics.find(({ name }) => name === primary) ?? null;

  return {
    a: { name: names[0], runs: a.map(({ directory }) => directory) },
    b: { name: names[1], runs: b.map(({ directory }) => directory) },
    level,
    primary,
    failures: failuresOf([...new Set([...ofA, ...ofB])], a, b),
    headline,
    metrics,
    onlyA: [...ofA].filter((name) => !ofB.has(name)),
    onlyB: [...ofB].filter((name) => !ofA.has(name)),
    // Rounded, because 1 − 0.99 is not 0.01 in floating point, and programs read this.
    expectedFalseCalls: Number(
      (
        (1 - level) *
        metrics.filter((metric) => metric !== headline && metric.call !== "too few runs").length
      ).toFixed(9),
    ),
    differences: differencesBetween(a, b),
    inTurns: madeInTurns(a, b),
  };
}

function compareMetric(
  metric: Metric,
  a: readonly ComparableRun[],
  b: readonly ComparableRun[],
  options: EffectOptions,
): MetricComparison {
  const [sideA, sideB] = [summary(metric.name, a), summary(metric.name, b)];
  const effect = effectOf(sideA.values, sideB.values, options);
  const runs = Math.min(sideA.values.length, sideB.values.length);
  return { ...metric, a: sideA, b: sideB, effect, call: callOf(metric, effect, runs) };
}

function summary(name: string, runs: readonly ComparableRun[]): SideSummary {
  const values = runs.map(({ metrics }) => metrics[name]).filter(isMeasured);
  return { median: median(values), values, missing: runs.length - values.length };
}

function failuresOf(
  names: readonly string[],
  a: readonly ComparableRun[],
  b: readonly ComparableRun[],
): FailedRequests[] {
  const share = (metric: string, runs: readonly ComparableRun[]) => {
    const { values } = summary(metric, runs);
    return values.length > 0 ? mean(values) : null;
  };
  return names
    .filter((name) => /(^|\/)error_share$/.test(name))
    .map((metric) => ({ metric, a: share(metric, a), b: share(metric, b) }))
    .filter((shares) => (shares.a ?? 0) > 0 || (shares.b ?? 0) > 0);
}

/** Those that at least one run has a value of, in the order of their first appearance. */
function metricNames(runs: readonly ComparableRun[]): Set<string> {
  const names = new Set<string>();
  for (const { metrics } of runs)
    for (const [name, value] of Object.entries(metrics)) if (isMeasured(value)) names.add(name);
  return names;
}

function differencesBetween(a: readonly ComparableRun[], b: readonly ComparableRun[]): AboutDifference[] {
  const keys = new Set([...a, ...b].flatMap(({ about }) => Object.keys(about)));
  const differences: AboutDifference[] = [];
  for (const what of keys) {
    const [ofA, ofB] = [valuesOf(what, a), valuesOf(what, b)];
    if (ofA.length > 1 || ofB.length > 1) differences.push({ what, a: ofA, b: ofB, kind: "within" });
    else if (ofA[0] !== ofB[0]) differences.push({ what, a: ofA, b: ofB, kind: "between" });
  }
  return differences;
}

function valuesOf(what: string, runs: readonly ComparableRun[]): string[] {
  return [...new Set(runs.map(({ about }) => about[what] ?? NOT_RECORDED))].toSorted();
}

/** Runs are kept in directories that are named after their time, in a form that sorts. */
function madeInTurns(a: readonly ComparableRun[], b: readonly ComparableRun[]): boolean | null {
  const [ofA, ofB] = [a, b].map((runs) => runs.map(({ directory }) => basename(directory)).toSorted());
  if (!ofA || !ofB || ofA.length < 2 || ofB.length < 2) return null;
  if (![...ofA, ...ofB].every((name) => /^\d{4}-\d\d-\d\dT[\d.-]+Z$/.test(name))) return null;
  const before = (one: string[], other: string[]) => (one.at(-1) as string) < (other[0] as string);
  return !before(ofA, ofB) && !before(ofB, ofA);
}

function isMeasured(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
