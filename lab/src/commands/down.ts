/** `lab down`: stops everything, also what a crashed lab left behind. Data and logs stay. */
import type { Command } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { assertNoExperiment } from "../runtimes/command-lock.ts";
import type { DownReport, Runtime } from "../runtimes/runtime.ts";
import { NO_ENGINE } from "./status.ts";

export function registerDownCommand(program: Command, context: CliContext): void {
  program
    .command("down")
    .description("stop the lab; data and logs stay")
    .option("--force", "also under an experiment that is running")
    .option("--json", "print what was stopped as JSON")
    .action(async (options: { json?: boolean; force?: boolean }) => {
      const { runtime, settings } = await openRuntime(context);
      if (!options.force) assertNoExperiment(settings.labDir);
      const report = await takeDown({ runtime }, context);
      if (options.json) context.output.json(report);
    });
}

/** Stops the lab and shows what happened. */
export async function takeDown(
  { runtime }: { runtime: Runtime },
  { output }: CliContext,
): Promise<DownReport> {
  output.begin("Stopping the lab");
  const report = await runtime.down();
  if (report.killed.length > 0)
    output.warn(`Killed, as they outlived their grace period: ${report.killed.join(", ")}`);
  if (report.swept > 0)
    output.warn(
      `Removed ${report.swept} ${runtime.name === "compose" ? "stopped containers" : "processes"} that a lab had left behind`,
    );
  if (report.no_engine) {
    output.warn(`${NO_ENGINE}. ${report.no_engine.reason}`);
    return report;
  }
  const ran = report.was_running || report.swept > 0;
  output.done(ran ? `The lab is stopped (${report.seconds} s)` : "Nothing was running");
  return report;
}
