/** `lab test`: every test that needs no Docker engine, with the type check beside them as one more. */
import { join } from "node:path";
import type { Command } from "commander";
import { type CliContext, loadSettings } from "../cli/context.ts";
import { messageOf } from "../cli/lab-error.ts";
import { findOrBuildK6 } from "../engines/k6.ts";
import { labPaths } from "../paths.ts";
import { concludeTests, runTap } from "../util/run-tap.ts";
import { runTool } from "../util/tools.ts";
import { showEvent } from "./up.ts";

export function registerTestCommand(program: Command, context: CliContext): void {
  program
    .command("test")
    .description("run every test that needs no Docker engine")
    .argument("[files...]", "test files or directories; all when left out")
    .action(async (files: string[]) => {
      const { output, signal } = context;
      await prepareK6(context);
      output.begin("Running the tests, and checking the types beside them");
      const types = runTool("typescript", "tsc", ["--noEmit"], signal);
      const run = await runTap({ files, record: labPaths(join(context.root, ".lab")).testRecord, signal });
      const typesHold = (await types) === 0;
      signal.throwIfAborted();
      if (!typesHold) output.warn("The types do not hold: see the errors of tsc above.");
      concludeTests(context, run, [typesHold]);
    });
}

/** One test puts load on the pipeline. Building k6 takes longer than a test may; without k6 that test fails and says so. */
async function prepareK6(context: CliContext): Promise<void> {
  const { output, signal } = context;
  try {
    const settings = loadSettings(context);
    await findOrBuildK6({ settings, signal, onEvent: (event) => showEvent(output, event) });
  } catch (error) {
    signal.throwIfAborted();
    output.warn(messageOf(error));
  }
}
