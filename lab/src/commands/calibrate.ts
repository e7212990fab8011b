/**
 * `lab calibrate`: how small a difference can comparisons on this machine show, and how often do they cry wolf? Runs the
 * engine on a service of known speed. Needs k6; the lab need not run. Ends with exit code 1 when the checks do not hold.
 */

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import {
  type CalibrationPlan,
  type CalibrationProgress,
  calibrate,
  variantOf,
} from "../calibration/calibrate.ts";
import { judgeCalibration, type PairResult } from "../calibration/judge-calibration.ts";
import { serviceTime } from "../calibration/service-time.ts";
import { type CliContext, loadSettings } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { LabError } from "../cli/lab-error.ts";
import { Progress } from "../cli/progress.ts";
import { LEAST_RUNS } from "../compare/metrics.ts";
import { findOrBuildK6 } from "../engines/k6.ts";
import { asItIs, parseVariant } from "../experiments/parameters.ts";
import { planRun } from "../experiments/plan-run.ts";
import { lockExperiment } from "../runtimes/command-lock.ts";
import { writeJsonFile } from "../util/files.ts";
import { decimalOption, wholeOption } from "./number-option.ts";
import { pairText, printCalibration, timeText } from "./print-calibration.ts";
import { showEvent } from "./up.ts";

interface CalibrateFlags {
  pairs: number;
  repeats: number;
  slowDown: number;
  set?: string;
  results?: string;
  json?: boolean;
}

/** Of A/A pairs to a slow-down pair. */
const PAIRS_TO_ONE = 5;

export function registerCalibrateCommand(program: Command, context: CliContext): void {
  program
    .command("calibrate")
    .description("how small a difference comparisons on this machine show, and how often they cry wolf")
    .option(
      "--pairs <count>",
      "comparisons of sets that do not differ; 100 make the full form, an hour or more",
      wholeOption("--pairs", { least: 1, most: 1000 }),
      10,
    )
    .option(
      "--repeats <count>",
      "runs on each side of a comparison",
      wholeOption("--repeats", { least: LEAST_RUNS, most: 20 }),
      LEAST_RUNS,
    )
    .option(
      "--slow-down <percent>",
      "how much slower B is in each fifth comparison",
      decimalOption("--slow-down", { least: 0.1, most: 400 }),
      20,
    )
    .option("--set <changes>", `what to change in each run, of: ${parameterNames().join(", ")}`)
    .option("--results <directory>", "where the bundles go (results)")
    .option("--json", "print the result as JSON")
    .action((flags: CalibrateFlags) => runCalibration(flags, context));
}

async function runCalibration(flags: CalibrateFlags, context: CliContext): Promise<void> {
  const { output, signal } = context;
  const plan = planOf(flags);
  const settings = loadSettings(context);
  const k6 = await findOrBuildK6({ settings, signal, onEvent: (event) => showEvent(output, event) });
  // Load beside it would be measured, too.
  using _lock = lockExperiment(settings.labDir);
  const resultsDir = resolve(flags.results ?? join(context.root, "results"));
  const id = `calibration-${new Date().toISOString().replaceAll(":", "-")}`;
  const progress = new Progress(process.stderr);
  const pairs: PairResult[] = [];
  let remade = 0;
  let secondsLeft: number | undefined;
  const all = plan.pairs + plan.slowPairs;
  output.begin(
    `${all} comparisons of ${plan.repeats} against ${plan.repeats} runs: ${all * plan.repeats * 2} runs`,
  );
  try {
    await calibrate({
      id,
      plan,
      k6,
      resultsDir,
      signal,
      onRun(run) {
        secondsLeft = run.secondsLeft;
        // Elsewhere a line a comparison is enough.
        if (process.stderr.isTTY) progress.show(progressText(run, plan));
      },
      onRemake(reasons) {
        remade += 1;
        progress.clear();
        output.warn(`INVALID, made again: ${reasons.join("; ")}`);
      },
      onPair(pair) {
        pairs.push(pair);
        progress.clear();
        const left = secondsLeft === undefined ? "" : `; ${timeText(secondsLeft)} left`;
        output.done(`${pairs.length} of ${all}: ${pairText(pair)}${left}`);
      },
    });
  } catch (error) {
    // An hour's work is not thrown away for its last minute.
    if (pairs.length > 0) {
      output.warn(`Not finished: ${pairs.length} of ${all} comparisons.`);
      if (!flags.json) printCalibration({ plan, pairs, remade, ...judgeCalibration(pairs) }, output);
    }
    throw error;
  } finally {
    progress.clear();
  }
  const result = { id, plan, k6: k6.version, remade, ...judgeCalibration(pairs), pairs };
  const directory = join(resultsDir, "local", serviceTime.system);
  mkdirSync(directory, { recursive: true });
  writeJsonFile(join(directory, `${id}.json`), result, 0o644);
  if (flags.json) output.json(result);
  else {
    printCalibration(result, output);
    output.line(`Results: ${join(directory, `${id}.json`)}, which names the bundles`);
  }
  if (result.outcome !== "held") context.exitWith(exitCodes.failed);
}

/** @throws LabError USAGE; all that can be wrong with the words is found before anything is started */
function planOf(flags: CalibrateFlags): CalibrationPlan {
  const variant = flags.set === undefined ? asItIs : parseVariant(flags.set);
  if (Object.keys(variant.services).length > 0 || variant.parameters.seed !== undefined) {
    throw new LabError("USAGE", "--set cannot change that here.", {
      reason: "Service times are set by the calibration itself, and each run draws its own.",
      remedy: `Change only: ${parameterNames().join(", ")}.`,
    });
  }
  const plan = {
    pairs: flags.pairs,
    slowPairs: Math.max(1, Math.round(flags.pairs / PAIRS_TO_ONE)),
    repeats: flags.repeats,
    slowDown: flags.slowDown / 100,
    variant,
  };
  for (const side of ["A", "B"] as const) planRun(serviceTime, variantOf(plan, "slow-down", side, 0));
  return plan;
}

function parameterNames(): string[] {
  return Object.keys(serviceTime.parameters).filter((name) => name !== "seed");
}

function progressText(run: CalibrationProgress, { repeats }: CalibrationPlan): string {
  const left = run.secondsLeft === undefined ? "" : `, ${timeText(run.secondsLeft)} left`;
  return `  ${run.pair} of ${run.pairs} (${run.kind}): ${run.side}${run.round} of ${repeats}${left}`;
}
