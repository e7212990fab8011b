/** `lab test`: every test that needs no Docker engine, with the type check beside them as one more. */
import { join } from "node:path";
import type { Command } from "commander";
import { type CliContext, loadSettings } from "../cli/context.ts";
import { messageOf } from "../cli/lab-error.ts";
import { findOrBuildK6 } from "../engines/k6.ts";
import { findOrGetNats } from "../engines/nats.ts";
import { findOrDownloadRedis } from "../engines/redis.ts";
import { findOrBuildToxiproxy } from "../engines/toxiproxy.ts";
import { labPaths } from "../paths.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import type { Settings } from "../settings.ts";
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
      await preparePrograms(context);
      output.begin("Running the tests, and checking the types beside them");
      const types = runTool("typescript", "tsc", ["--noEmit"], signal);
      const run = await runTap({ files, record: labPaths(join(context.root, ".lab")).testRecord, signal });
      const typesHold = (await types) === 0;
      signal.throwIfAborted();
      if (!typesHold) output.warn("The types do not hold: see the errors of tsc above.");
      concludeTests(context, run, [typesHold]);
    });
}

/** What tests run, once for all of them: building k6 takes longer than a test may. Those that lack one fail, and say so. */
async function preparePrograms(context: CliContext): Promise<void> {
  const { output, signal } = context;
  const onEvent = (event: LabEvent) => showEvent(output, event);
  const preparations = [
    (settings: Settings) => findOrBuildK6({ settings, signal, onEvent }),
    ({ labDir }: Settings) => findOrBuildToxiproxy({ labDir, signal, onEvent }),
    ({ labDir }: Settings) => findOrDownloadRedis(labPaths(labDir), { signal, onEvent }),
    ({ labDir }: Settings) => findOrGetNats(labPaths(labDir), { signal, onEvent }),
  ];
  for (const prepare of preparations) {
    try {
      await prepare(loadSettings(context));
    } catch (error) {
      signal.throwIfAborted();
      output.warn(messageOf(error));
    }
  }
}
