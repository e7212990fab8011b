/** Runs one experiment on this machine's lab, with its progress on standard error. */

import { join } from "node:path";
import type { CliContext } from "../cli/context.ts";
import { Progress } from "../cli/progress.ts";
import { findOrBuildK6 } from "../engines/k6.ts";
import { secondsLeft } from "../experiments/conduct-load.ts";
import type { Experiment, Fault } from "../experiments/experiment.ts";
import type { Row } from "../experiments/metrics-csv.ts";
import type { Variant } from "../experiments/parameters.ts";
import { planRun } from "../experiments/plan-run.ts";
import { type RunResult, type RunSet, runExperiment } from "../experiments/run-experiment.ts";
import { lockExperiment } from "../runtimes/command-lock.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Settings } from "../settings.ts";
import { showEvent } from "./up.ts";

export interface RunHereOptions {
  readonly context: CliContext;
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly variant?: Variant;
  readonly set?: RunSet;
  readonly faults: readonly Fault[];
}

export async function runHere(experiment: Experiment, options: RunHereOptions): Promise<RunResult> {
  const { context, runtime, settings, variant, set, faults } = options;
  const { output, signal } = context;
  using _lock = lockExperiment(settings.labDir);
  const k6 = await findOrBuildK6({ settings, signal, onEvent: (event) => showEvent(output, event) });
  const progress = new Progress(process.stderr);
  const plan = planRun(experiment, variant, faults);
  try {
    return await runExperiment({
      experiment,
      ...(variant && { variant }),
      ...(set && { set }),
      runtime,
      environment: "local",
      k6,
      faults,
      resultsDir: join(context.root, "results"),
      signal,
      onStage(text) {
        progress.clear();
        output.begin(text);
      },
      onRow: (row) => progress.show(progressOf(row, secondsLeft(plan, Number(row.elapsed_s)))),
    });
  } finally {
    progress.clear();
  }
}

/** While the system cannot be asked, how much is waiting is unknown, and not nothing. */
function waitingOf(row: Row): string {
  if ("archive_lag" in row) return `${row.archive_lag ?? "?"} to be archived`;
  if (row.queue_visible === undefined) return "? in the queue";
  return `${Number(row.queue_visible) + Number(row.queue_in_flight)} in the queue`;
}

function progressOf(row: Row, left: number): string {
  const where = row.step ? `${row.stage} ${row.step}` : row.stage;
  const text = `  ${where}  ${row.answers} answers  ${row.answers_per_s ?? 0}/s  ${row.errors} errors  ${waitingOf(row)}`;
  return row.stage === "load" ? `${text}  ${left} s left` : text;
}
