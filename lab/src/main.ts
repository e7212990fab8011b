/**
 * The lab's command line: reads arguments and environment, wires the commands, turns every outcome into an exit code
 * (cli/exit-codes.ts). Started by index.cjs on a Node that runs TypeScript.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import type { CliContext } from "./cli/context.ts";
import { exitCodes } from "./cli/exit-codes.ts";
import { Output } from "./cli/output.ts";
import { attachSignals, isBareInterruption } from "./cli/signals.ts";
import { registerCalibrateCommand } from "./commands/calibrate.ts";
import { registerCleanCommand } from "./commands/clean.ts";
import { registerCompareCommand } from "./commands/compare.ts";
import { registerDemoCommand } from "./commands/demo.ts";
import { registerDevelopCommands } from "./commands/develop.ts";
import { registerDoctorCommand } from "./commands/doctor.ts";
import { registerDownCommand } from "./commands/down.ts";
import { registerEngineCommand } from "./commands/engine.ts";
import { registerHelpCommand } from "./commands/help.ts";
import { registerImagesCommands } from "./commands/images.ts";
import { registerLoadtestCommand } from "./commands/loadtest.ts";
import { registerLogsCommand } from "./commands/logs.ts";
import { registerModelCommand } from "./commands/model.ts";
import { registerPublishedCommand } from "./commands/published.ts";
import { registerQueueDepthCommand } from "./commands/queue-depth.ts";
import { registerRedriveCommand } from "./commands/redrive.ts";
import { registerScaleCommand } from "./commands/scale.ts";
import { registerStatusCommand } from "./commands/status.ts";
import { registerTestCommand } from "./commands/test.ts";
import { registerTestIntegrationCommand } from "./commands/test-integration.ts";
import { registerUpCommand } from "./commands/up.ts";
import { rootDir } from "./paths.ts";

const commands = [
  registerUpCommand,
  registerDemoCommand,
  registerStatusCommand,
  registerLogsCommand,
  registerQueueDepthCommand,
  registerScaleCommand,
  registerRedriveCommand,
  registerDownCommand,
  registerCleanCommand,
  registerDoctorCommand,
  registerEngineCommand,
  registerImagesCommands,
  registerLoadtestCommand,
  registerCalibrateCommand,
  registerCompareCommand,
  registerModelCommand,
  registerPublishedCommand,
  registerTestCommand,
  registerTestIntegrationCommand,
  registerDevelopCommands,
  registerHelpCommand,
];

const output = new Output({ stdout: process.stdout, stderr: process.stderr, environment: process.env });
const signals = attachSignals(() => output.warn("Stopping; once more to leave at once"));
let exitCode: number = exitCodes.ok;

const context: CliContext = {
  root: rootDir,
  environment: process.env,
  output,
  signal: signals.signal,
  exitWith: (code) => {
    exitCode = code;
  },
};

// A reader that goes away, as in `lab logs | head`, ends the command quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else exitCode = tell(error);
}
signals.detach();
process.exitCode = exitCode;

/**
 * A signal decides the exit code; what went wrong meanwhile, or where an interrupted run is kept, is told all the same.
 */
function tell(error: unknown): number {
  const interrupted = signals.exitCode();
  if (interrupted !== undefined && isBareInterruption(error)) return interrupted;
  const code = output.error(error);
  return interrupted ?? code;
}

function buildProgram(): Command {
  const { version } = JSON.parse(readFileSync(join(rootDir, "package.json"), "utf8")) as { version: string };
  const program = new Command("lab")
    .description(
      "Distributed systems on this machine, under load, judged. Each make target is one of these commands.",
    )
    .version(version, "--version", "print the version")
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      outputError: (text, write) => {
        const reason = text.replace(/^error: /, "").trim();
        write(
          `Error: ${reason}\n  fix: "node lab --help" lists the commands, "node lab help <command>" their options.\n`,
        );
      },
    });
  // Subcommands inherit exitOverride and the output configuration from the program as it is now.
  for (const register of commands) register(program, context);
  return program;
}
