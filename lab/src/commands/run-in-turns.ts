/**
 * Repeats of an experiment; with a second variant in turns, A B A B, so that what drifts on the machine meanwhile falls on both
 * alike. Ends with what the runs show: their spread, or the comparison.
 */

import { relative } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import type { Output } from "../cli/output.ts";
import { type ComparableRun, compareSets } from "../compare/compare-sets.ts";
import { loadRuns } from "../compare/load-runs.ts";
import { printComparison } from "../compare/print-comparison.ts";
import type { Experiment } from "../experiments/experiment.ts";
import { describeVariant, mergeVariants, type Variant } from "../experiments/parameters.ts";
import { planRun } from "../experiments/plan-run.ts";
import type { RunResult } from "../experiments/run-experiment.ts";
import { median } from "../util/median.ts";
import { type RunHereOptions, runHere } from "./run-here.ts";

export interface TurnsOptions extends RunHereOptions {
  readonly variant: Variant;
  readonly repeats: number;
  /** Changes over `variant`, for the other side. */
  readonly against: Variant | undefined;
  /** The metric that decides; the experiment's unless told. */
  readonly primary?: string | undefined;
  readonly json?: boolean | undefined;
  /** Told at once of each run that was filed. */
  readonly onResult?: (result: RunResult) => void;
}

interface Turn {
  readonly side: "A" | "B";
  readonly variant: Variant;
}

/** @throws LabError of the first run that does not come to its end: what follows could not be compared with it */
export async function runInTurns(experiment: Experiment, options: TurnsOptions): Promise<RunResult[]> {
  const { context, variant, against, repeats } = options;
  const { output, signal } = context;
  const turns: Turn[] = [{ side: "A", variant }];
  if (against) turns.push({ side: "B", variant: mergeVariants(variant, against) });
  const id = new Date().toISOString().replaceAll(":", "-");
  // Told first: after Ctrl-C, too, the runs that there are can be compared by it.
  if (against)
    output.begin(
      `${repeats} runs a side in turns; what there is of them at any time: make compare RUNS=${id}`,
    );
  const results: RunResult[] = [];
  const sides: Record<Turn["side"], string[]> = { A: [], B: [] };
  for (let round = 1; round <= repeats; round += 1) {
    for (const turn of turns) {
      signal.throwIfAborted();
      output.begin(`${round} of ${repeats}, ${turn.side}: ${describeVariant(turn.variant)}`);
      const result = await runHere(experiment, {
        ...options,
        variant: turn.variant,
        set: { id, side: turn.side, round },
      });
      tell(result, turn, round, output);
      results.push(result);
      options.onResult?.(result);
      sides[turn.side].push(result.directory);
    }
  }
  const primary = options.primary ?? planRun(experiment, variant).primaryMetric;
  if (!against) {
    if (!options.json) await showSpread(sides.A, primary, output);
    return results;
  }
  const [a, b] = [await loadRuns(sides.A), await loadRuns(sides.B)];
  for (const { directory, reason } of [...a.skipped, ...b.skipped])
    output.warn(`left out: ${relative(process.cwd(), directory)}. ${reason}`);
  if (a.runs.length === 0 || b.runs.length === 0) {
    throw new LabError("COMMAND_FAILED", "There is nothing to compare.", {
      reason: `No run of ${a.runs.length === 0 ? "A" : "B"} held and is valid.`,
      remedy: "See the reasons above; a lower rate often helps.",
    });
  }
  const names = [`A (${describeVariant(variant)})`, `B (${describeVariant(against)})`] as const;
  const comparison = compareSets(a.runs, b.runs, { primary, names });
  if (options.json) output.json(comparison);
  else {
    printComparison(comparison, output);
    output.line(`Again: make compare RUNS=${id}`);
  }
  return results;
}

function tell(
  { directory, verdict, performance }: RunResult,
  { side }: Turn,
  round: number,
  output: Output,
): void {
  const text = `${side}${round}: correctness ${verdict.outcome}, performance ${performance.outcome}, ${relative(process.cwd(), directory)}`;
  if (verdict.outcome === "held" && performance.outcome === "valid") output.done(text);
  else output.warn([text, ...performance.reasons].join("; "));
}

/** One line a metric, for repeats of one variant: what a single run would not have told. */
async function showSpread(directories: readonly string[], primary: string, output: Output): Promise<void> {
  const { runs, skipped } = await loadRuns(directories);
  for (const { directory, reason } of skipped)
    output.warn(`left out: ${relative(process.cwd(), directory)}. ${reason}`);
  if (runs.length === 0) return;
  const names = [...new Set(runs.flatMap(({ metrics }) => Object.keys(metrics)))];
  names.sort((one, other) => Number(other === primary) - Number(one === primary));
  output.line();
  output.table([
    ["metric", "lowest", "median", "highest", "highest ÷ lowest"],
    ...names.map((name) => spread(name, runs)),
  ]);
  output.line(`${runs.length} runs; to compare them with others: make compare A=… B=…`);
}

function spread(name: string, runs: readonly ComparableRun[]): string[] {
  const values = runs.flatMap(({ metrics }) => metrics[name] ?? []);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const times = lowest > 0 ? (highest / lowest).toFixed(2) : "";
  return [
    name,
    ...[lowest, median(values), highest].map((value) => String(Number(value.toPrecision(4)))),
    times,
  ];
}
