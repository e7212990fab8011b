/** A calibration, for people: every comparison, and what all of them say about this machine. */

import type { CalibrationPlan } from "../calibration/calibrate.ts";
import {
  type CalibrationFigures,
  type Check,
  isDifferent,
  type PairResult,
} from "../calibration/judge-calibration.ts";
import type { Output } from "../cli/output.ts";
import { DEFAULT_PRIMARY_METRIC } from "../compare/metrics.ts";

export interface CalibrationShown extends CalibrationFigures {
  readonly plan: CalibrationPlan;
  readonly pairs: readonly PairResult[];
  /** Runs that were INVALID and made again. */
  readonly remade: number;
}

export function printCalibration(shown: CalibrationShown, output: Output): void {
  const { plan, pairs, false_calls, slow_downs, other_metrics, remade } = shown;
  output.line();
  output.table([
    ["comparison", "B/A", "interval", `${DEFAULT_PRIMARY_METRIC} of B`, "other metrics called"],
    ...pairs.map((pair) => row(pair)),
  ]);
  output.line();
  checkLine(
    false_calls,
    "A/A",
    `A/A: ${false_calls.count} of ${false_calls.pairs} called different (at most ${false_calls.limit})`,
    output,
  );
  const slow = percent(plan.slowDown);
  checkLine(
    slow_downs,
    `A slow-down of ${slow}`,
    `A slow-down of ${slow} was found in ${slow_downs.count} of ${slow_downs.pairs} (at least ${slow_downs.limit})`,
    output,
  );
  const { slow_down_measured, interval_half_width, smallest_shown } = shown;
  if (slow_down_measured !== null)
    output.line(`  It was measured as ${percent(slow_down_measured - 1)} in the middle one.`);
  if (interval_half_width !== null)
    output.line(`Typical interval at ${plan.repeats} runs: ±${percent(interval_half_width)}`);
  const { by_half, by_95_percent } = smallest_shown;
  if (by_half !== null && by_95_percent !== null)
    output.line(
      `Smallest slow-down that this machine shows: ${percent(by_half)} in half of the comparisons, ` +
        `${percent(by_95_percent)} in ${false_calls.pairs < 20 ? "all of them" : "95 of 100"}`,
    );
  if (other_metrics.compared > 0)
    output.line(
      `Other metrics in A/A: ${other_metrics.called} of ${other_metrics.compared} called different (not judged)`,
    );
  if (remade > 0) output.line(`${remade} runs were INVALID and made again`);
}

/** One comparison in a line, for progress. */
export function pairText(pair: PairResult): string {
  const { kind, number, ratio, call } = pair;
  return `${kind} ${number}: ${ratio.toFixed(3)}, ${interval(pair)}, ${call}`;
}

/** 75 s are "1:15". */
export function timeText(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function row(pair: PairResult): string[] {
  const { kind, number, ratio, call, others } = pair;
  const wolf = kind === "A/A" && isDifferent(call) ? "  a false call" : "";
  const missed = kind === "slow-down" && call !== "worse" ? "  missed" : "";
  return [
    `${kind} ${number}`,
    ratio.toFixed(3),
    interval(pair),
    `${call}${wolf}${missed}`,
    `${others.called} of ${others.metrics}`,
  ];
}

function interval({ lower, upper }: PairResult): string {
  return `${lower?.toFixed(3) ?? "not bounded"} to ${upper?.toFixed(3) ?? "not bounded"}`;
}

function checkLine({ held }: Check, what: string, text: string, output: Output): void {
  if (held === null) output.line(`${output.paint("yellow", "?")} ${what}: not one comparison was made`);
  else output.line(held ? `${output.paint("green", "✓")} ${text}` : `${output.paint("red", "✗")} ${text}`);
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(share < 0.1 ? 1 : 0))} %`;
}
