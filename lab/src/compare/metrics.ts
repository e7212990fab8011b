/**
 * What is known of a metric by its name, and what may be said of it: better, worse, no difference shown, too few runs.
 *
 * Names end with their unit (`latency_p99_ms`). A run of several steps or operations puts these before the name:
 * `r200/latency_p99_ms`. A metric that is not known here may differ, but nobody can say whether that is good.
 */
import { type Effect, excludesNoEffect, noEffect } from "./ratio-interval.ts";

/** Which way is good. */
export type Direction = "lower" | "higher" | "neutral";

export interface Metric {
  /** As the run calls it, with its step. */
  readonly name: string;
  /** Empty for a plain number. */
  readonly unit: string;
  readonly better: Direction;
}

/** About B, seen from A. `differs` is said of metrics of which no direction is known to be good. */
export type Call = "better" | "worse" | "differs" | "no difference shown" | "too few runs";

/** What a claim takes on each side. Four against four have no result with p ≤ 0.01 (least p: 2/70). */
export const LEAST_RUNS = 5;

/**
 * A ratio nearer to 1 than this is not called, however sure: on a shared machine a hundredth is nobody's finding. The test
 * becomes one of "more than 1 %" (a minimum-effect test), and false calls rarer: of sets that do not differ, by 3 % from run
 * to run, 0.3 % instead of 0.8 % are called different.
 */
export const LEAST_RATIO = 1.01;

/** What a comparison is decided by where nothing else is said: what most requests meet, and what repeats best. */
export const DEFAULT_PRIMARY_METRIC = "latency_p50_ms";

const KNOWN: readonly (readonly [RegExp, unit: string, better: Direction])[] = [
  [/^latency_(p\d+|mean|min|max)_ms$/, "ms", "lower"],
  [/^(achieved|answered)_rate$/, "/s", "higher"],
  [/^error_share$/, "", "lower"],
  [/^.+_cpu_s_per_1000$/, "s", "lower"],
  [/^.+_memory_mb$/, "MB", "lower"],
  [/^.+_throttled_s$/, "s", "lower"],
  [/^drain_s$/, "s", "lower"],
  // How long was watched is a choice, and a forecast is no measurement.
  [/^drain_(watched|forecast|forecast_nominal)_s$/, "s", "neutral"],
  [/^(cold|warm)_total_ms$|^(own_)?init_ms$/, "ms", "lower"],
  [/^overhead_percent$/, "%", "lower"],
  [/^(processed|saturated)_per_s$/, "/s", "higher"],
  [/^end_to_end_(p\d+|mean)_ms$/, "ms", "lower"],
  [/^(peak_depth|peak_waiting|left_after_watch|not_accepted)$/, "", "lower"],
  [/^(queue_depth|queue_visible|payments_waiting|dead_lettered)_max$/, "", "lower"],
];

export function metricOf(name: string): Metric {
  const base = name.slice(name.lastIndexOf("/") + 1);
  const known = KNOWN.find(([pattern]) => pattern.test(base));
  return { name, unit: known?.[1] ?? "", better: known?.[2] ?? "neutral" };
}

/** @param runs on the side that has fewer */
export function callOf({ better }: Metric, effect: Effect, runs: number): Call {
  if (runs < LEAST_RUNS) return "too few runs";
  if (!excludesNoEffect(effect) || isSlight(effect)) return "no difference shown";
  if (better === "neutral") return "differs";
  const direction: Direction = effect.estimate > noEffect(effect.scale) ? "higher" : "lower";
  return direction === better ? "better" : "worse";
}

/** Whether the interval leaves out "no difference", and does not leave out one of less than 1 %. */
export function isSlight(effect: Effect): boolean {
  const { scale, lower, upper } = effect;
  if (scale !== "ratio" || !excludesNoEffect(effect)) return false;
  const above = lower !== null && lower > LEAST_RATIO;
  const below = upper !== null && upper < 1 / LEAST_RATIO;
  return !above && !below;
}
