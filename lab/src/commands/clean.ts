/** `lab clean`: down, then removes data, logs and downloads. Results stay. Asks first, unless told not to. */
import { rmdirSync, rmSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { LabError } from "../cli/lab-error.ts";
import { removeOutside } from "../engines/postgres-home.ts";
import { labPaths } from "../paths.ts";
import { takeDown } from "./down.ts";

export function registerCleanCommand(program: Command, context: CliContext): void {
  program
    .command("clean")
    .description("stop the lab and remove its data, logs and downloads; results stay")
    .option("--yes", "do not ask")
    .action(async (options: { yes?: boolean }) => {
      const { runtime, settings } = openRuntime(context);
      if (!options.yes) await ask(settings.labDir, context);
      await takeDown(runtime, context);
      const paths = labPaths(settings.labDir);
      removeOutside(paths);
      for (const path of Object.values(paths)) {
        if (path === paths.labDir) continue;
        rmSync(path, { recursive: true, force: true });
        // SQLite's companion of a lock file whose holder was killed.
        rmSync(`${path}-journal`, { force: true });
      }
      removeIfEmpty(paths.labDir);
      context.output.done(`Removed the lab's data, logs and downloads in ${settings.labDir}`);
    });
}

async function ask(labDir: string, context: CliContext): Promise<void> {
  const interactive = process.stdin.isTTY && context.output.interactive && !context.environment.CI;
  if (!interactive) {
    throw new LabError("USAGE", "Nothing was removed.", {
      reason: "Without a terminal there is nobody to ask.",
      remedy: 'Say so beforehand: "make clean YES=1", or "node lab clean --yes".',
    });
  }
  const dialog = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const reply = await dialog.question(`Remove data, logs and downloads in ${labDir}? [y/N] `, {
      signal: context.signal,
    });
    if (/^y(es)?$/i.test(reply.trim())) return;
  } finally {
    dialog.close();
  }
  throw new LabError("USAGE", "Nothing was removed.", { reason: "The answer was not yes." });
}

/** LAB_DIR may be a directory with other things in it; only what the lab made there is its own. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Not empty, or not there: both are fine.
  }
}
