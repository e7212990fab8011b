/** Runs a command of the lab that only reads and computes, in this process; gives what a person would see. */
import { Command, CommanderError } from "commander";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { Output } from "../../src/cli/output.ts";
import { registerCompareCommand } from "../../src/commands/compare.ts";
import { registerHelpCommand } from "../../src/commands/help.ts";
import { registerModelCommand } from "../../src/commands/model.ts";
import { registerPublishedCommand } from "../../src/commands/published.ts";
import { registerQueueDepthCommand } from "../../src/commands/queue-depth.ts";
import { registerRedriveCommand } from "../../src/commands/redrive.ts";
import { registerScaleCommand } from "../../src/commands/scale.ts";
import { rootDir } from "../../src/paths.ts";

export async function runLab(
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  const output = new Output({
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    environment: {},
  });
  let code: number = exitCodes.ok;
  const program = new Command("lab").exitOverride().configureOutput({
    writeOut: (text) => (stdout += text),
    writeErr: (text) => (stderr += text),
  });
  const context = {
    root: rootDir,
    environment: {},
    output,
    signal: new AbortController().signal,
    exitWith: (number: number) => {
      code = number;
    },
  };
  for (const register of [
    registerCompareCommand,
    registerModelCommand,
    registerPublishedCommand,
    registerQueueDepthCommand,
    registerScaleCommand,
    registerRedriveCommand,
    registerHelpCommand,
  ])
    register(program, context);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) code = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    else code = output.error(error);
  }
  return { code, stdout, stderr };
}
