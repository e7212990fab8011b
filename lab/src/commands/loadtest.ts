/** `lab loadtest`: runs an experiment against the running lab, shows its verdict and where its bundle is. */

import { join } from "node:path";
import type { Command } from "commander";
import type { CliContext, SettingOptions } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { Progress } from "../cli/progress.ts";
import { findOrBuildK6 } from "../engines/k6.ts";
import { choose, environments, experiments } from "../experiments/catalogue.ts";
import type { Experiment, Fault } from "../experiments/experiment.ts";
import { checkFaults, parseFault } from "../experiments/faults.ts";
import { type RunResult, runExperiment } from "../experiments/run-experiment.ts";
import { lockExperiment } from "../runtimes/command-lock.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Settings } from "../settings.ts";
import { printRun } from "./print-run.ts";
import { showEvent } from "./up.ts";
import { withLab } from "./with-lab.ts";

interface LoadtestFlags extends SettingOptions {
  system?: string;
  experiment?: string;
  env?: string;
  fault: string[];
  json?: boolean;
}

export function registerLoadtestCommand(program: Command, context: CliContext): void {
  program
    .command("loadtest")
    .description("run an experiment under load and judge it; starts the lab when it does not run")
    .option("--system <name>", "which system; without it, the smoke test of each")
    .option("--experiment <name>", "which experiment (smoke)")
    .option("--env <name>", `where: ${environments.join(", ")}`)
    .option("--runtime <name>", "what to run the lab on (RUNTIME)")
    .option(
      "--fault <fault>",
      "a signal to a part during the load, as kill:orders-processor@3s; repeatable",
      gather,
      [],
    )
    .option("--json", "print the result as JSON")
    .addHelpText("after", () => `\nExperiments:\n${experiments.map(describe).join("\n")}`)
    .action(async (flags: LoadtestFlags) => {
      // All that can be wrong with the words is found before anything is started.
      const chosen = choose({ system: flags.system, experiment: flags.experiment, environment: flags.env });
      const faults = flags.fault.map(parseFault);
      await withLab(context, flags, async ({ runtime, settings }) => {
        const results: RunResult[] = [];
        for (const experiment of chosen) {
          await checkFaults(faults, runtime, experiment.load.seconds);
          const result = await runHere(experiment, { context, runtime, settings, faults });
          if (!flags.json) printRun(result, context.output);
          results.push(result);
        }
        if (flags.json) context.output.json(results);
        if (results.some(({ verdict }) => verdict.outcome !== "held")) context.exitWith(exitCodes.verdict);
      });
    });
}

export interface RunHereOptions {
  readonly context: CliContext;
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly faults: readonly Fault[];
}

/** Runs one experiment on this machine's lab, with its progress on standard error. */
export async function runHere(experiment: Experiment, options: RunHereOptions): Promise<RunResult> {
  const { context, runtime, settings, faults } = options;
  const { output, signal } = context;
  using _lock = lockExperiment(settings.labDir);
  const k6 = await findOrBuildK6({ settings, signal, onEvent: (event) => showEvent(output, event) });
  const progress = new Progress(process.stderr);
  try {
    return await runExperiment({
      experiment,
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
      onRow(row) {
        const left = Math.max(0, experiment.load.seconds - Number(row.elapsed_s));
        // While the system cannot be asked, how much is waiting is unknown, and not nothing.
        const queue =
          row.queue_visible === undefined ? "?" : Number(row.queue_visible) + Number(row.queue_in_flight);
        progress.show(
          `  ${row.stage}  ${row.answers} answers  ${row.answers_per_s ?? 0}/s  ${row.errors} errors  ${queue} in the queue` +
            (row.stage === "load" ? `  ${Math.ceil(left)} s left` : ""),
        );
      },
    });
  } finally {
    progress.clear();
  }
}

function describe({ system, name, summary }: Experiment): string {
  return `  ${system}/${name}  ${summary}`;
}

function gather(value: string, before: string[]): string[] {
  return [...before, value];
}
