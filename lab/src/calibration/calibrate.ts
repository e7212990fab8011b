/**
 * Calibrates comparisons on this machine, with runs of the engine itself: load, bundle, reader, comparison. A comparison
 * is an instrument, and an instrument is checked on what is known: sets that do not differ, and sets that do by a share.
 *
 * Each pair is made of runs of its own. One could draw any number of pairs from twenty runs; but these would share the
 * runs, and one odd run would speak in half of them: of a hundred such pairs a handful is independent, and "2 of 100"
 * would mean nothing. And dealt out again, runs lose their times: drift, which interleaving has to cope with, would be
 * dealt to both sides alike. That would test the arithmetic, which tests without a machine do better.
 */

import { randomInt } from "node:crypto";
import { LabError } from "../cli/lab-error.ts";
import { compareSets } from "../compare/compare-sets.ts";
import { loadRuns } from "../compare/load-runs.ts";
import { DEFAULT_PRIMARY_METRIC } from "../compare/metrics.ts";
import type { Variant } from "../experiments/parameters.ts";
import { type RunSet, runExperiment } from "../experiments/run-experiment.ts";
import { type PairKind, type PairResult, pairResult } from "./judge-calibration.ts";
import { serviceTime } from "./service-time.ts";
import { TimedRuntime } from "./timed-runtime.ts";

export interface CalibrationPlan {
  /** Pairs that do not differ. */
  readonly pairs: number;
  readonly slowPairs: number;
  /** Runs on each side of a pair. */
  readonly repeats: number;
  /** 0.2: B takes 20 % longer. */
  readonly slowDown: number;
  /** Changes to the experiment, for both sides. */
  readonly variant: Variant;
}

export interface CalibrateOptions {
  /** Names this calibration in its bundles. */
  readonly id: string;
  readonly plan: CalibrationPlan;
  readonly k6: { readonly path: string; readonly version: string };
  /** Directory of all bundles. */
  readonly resultsDir: string;
  readonly signal: AbortSignal;
  onRun(progress: CalibrationProgress): void;
  /** A run whose figures are INVALID is made again. Whether it is so hangs on the load generator, not on the side. */
  onRemake(reasons: readonly string[]): void;
  onPair(pair: PairResult): void;
}

/** Before each run. */
export interface CalibrationProgress {
  readonly kind: PairKind;
  /** Pairs of both kinds: this one, and all. */
  readonly pair: number;
  readonly pairs: number;
  readonly side: RunSet["side"];
  readonly round: number;
  /** As far as the runs so far tell. */
  readonly secondsLeft: number | undefined;
}

/** So often in a row, and the machine is too busy for any run. */
const MOST_ATTEMPTS = 5;
const SEEDS = 2 ** 31;

/**
 * Pairs as they come, in an order that mixes the kinds.
 * @throws LabError; pairs that were made until then have been told to `onPair`
 */
export async function calibrate(options: CalibrateOptions): Promise<PairResult[]> {
  const { plan, signal } = options;
  const order = orderOfPairs(plan.pairs, plan.slowPairs);
  const runs = order.length * plan.repeats * 2;
  const began = performance.now();
  // Each run draws other service times than all others, also those of the next calibration.
  const firstSeed = randomInt(SEEDS);
  const results: PairResult[] = [];
  let run = 0;
  await using runtime = new TimedRuntime();
  await runtime.up();
  for (const { kind, number } of order) {
    const directories: Record<RunSet["side"], string[]> = { A: [], B: [] };
    for (let round = 1; round <= plan.repeats; round += 1) {
      for (const side of ["A", "B"] as const) {
        signal.throwIfAborted();
        const elapsed = (performance.now() - began) / 1000;
        const secondsLeft = run === 0 ? undefined : (elapsed / run) * (runs - run);
        options.onRun({ kind, pair: results.length + 1, pairs: order.length, side, round, secondsLeft });
        const variant = variantOf(plan, kind, side, (firstSeed + run) % SEEDS);
        const set = { id: `${options.id}-${kind === "A/A" ? "same" : "slow"}-${number}`, side, round };
        directories[side].push(await validRun(options, runtime, variant, set));
        run += 1;
      }
    }
    const pair = pairResult(kind, number, await compare(directories));
    results.push(pair);
    options.onPair(pair);
  }
  return results;
}

/** Slow-down pairs spread among the others, so that both kinds see the same times of the day. */
export function orderOfPairs(pairs: number, slowPairs: number): { kind: PairKind; number: number }[] {
  const order: { kind: PairKind; number: number }[] = [];
  let slow = 0;
  for (let same = 1; same <= pairs; same += 1) {
    order.push({ kind: "A/A", number: same });
    for (; slow < Math.floor((same * slowPairs) / pairs); slow += 1)
      order.push({ kind: "slow-down", number: slow + 1 });
  }
  // Where there are no others.
  for (; slow < slowPairs; slow += 1) order.push({ kind: "slow-down", number: slow + 1 });
  return order;
}

export function variantOf(
  { variant, slowDown }: CalibrationPlan,
  kind: PairKind,
  side: RunSet["side"],
  seed: number,
): Variant {
  const service = variant.parameters.service_ms ?? serviceTime.parameters.service_ms?.value ?? 0;
  const service_ms = kind === "slow-down" && side === "B" ? service * (1 + slowDown) : service;
  return { ...variant, parameters: { ...variant.parameters, service_ms, seed } };
}

async function validRun(
  { k6, resultsDir, signal, onRemake }: CalibrateOptions,
  runtime: TimedRuntime,
  variant: Variant,
  set: RunSet,
): Promise<string> {
  let reasons: readonly string[] = [];
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const { verdict, performance, directory } = await runExperiment({
      experiment: serviceTime,
      variant,
      set,
      runtime,
      environment: "local",
      k6,
      faults: [],
      resultsDir,
      signal,
      onStage: () => {},
      onRow: () => {},
    });
    if (verdict.outcome !== "held") {
      throw new LabError("COMMAND_FAILED", `A run's correctness is ${verdict.outcome}.`, {
        reason: "The service of known speed did not answer each request with its own id.",
        remedy: `See ${directory}.`,
      });
    }
    if (performance.outcome === "valid") return directory;
    reasons = performance.reasons;
    onRemake(reasons);
  }
  throw new LabError("COMMAND_FAILED", `${MOST_ATTEMPTS} runs in a row were INVALID.`, {
    reason: reasons.join("; "),
    remedy: "End what else is at work on this machine, or take a lower rate: --set rate=50.",
  });
}

/** As anybody would compare them: from their bundles. */
async function compare(directories: Readonly<Record<RunSet["side"], readonly string[]>>) {
  const [a, b] = [await loadRuns(directories.A), await loadRuns(directories.B)];
  const [skipped] = [...a.skipped, ...b.skipped];
  if (skipped) {
    throw new LabError("DATA_DAMAGED", `A bundle cannot be read back: ${skipped.directory}`, {
      reason: skipped.reason,
    });
  }
  return compareSets(a.runs, b.runs, { primary: DEFAULT_PRIMARY_METRIC });
}
