/** `lab clean`: down, then removes data, logs and downloads. Results stay. Asks first, unless told not to. */
import { rmdirSync, rmSync } from "node:fs";
import type { Command } from "commander";
import { confirm } from "../cli/confirm.ts";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { removeOutside } from "../engines/postgres-home.ts";
import { labPaths } from "../paths.ts";
import { assertOnlyOn } from "../runtimes/choose-runtime.ts";
import { assertNoExperiment } from "../runtimes/command-lock.ts";
import { projectWithVolumes } from "../runtimes/compose/state.ts";
import { createRuntime } from "../runtimes/create-runtime.ts";
import { takeDown } from "./down.ts";

export function registerCleanCommand(program: Command, context: CliContext): void {
  program
    .command("clean")
    .description("stop the lab and remove its data, logs and downloads; results and images stay")
    .option("--yes", "do not ask")
    .action(async (options: { yes?: boolean }) => {
      const { runtime, settings } = await openRuntime(context);
      // Its files are not taken from under a lab on the other runtime.
      await assertOnlyOn(settings, runtime.name);
      assertNoExperiment(settings.labDir);
      const paths = labPaths(settings.labDir);
      const project = projectWithVolumes(paths);
      const volumes = project === undefined ? "" : `, and the volumes of the Compose project "${project}"`;
      if (!options.yes) {
        await confirm(context, {
          question: `Remove data, logs and downloads in ${settings.labDir}${volumes}?`,
          declined: "Nothing was removed.",
          remedy: 'Say so beforehand: "make clean YES=1", or "node lab clean --yes".',
        });
      }
      await takeDown({ runtime }, context);
      await runtime.removeData();
      // Volumes stay behind when the lab runs as processes now and ran in containers once.
      if (project !== undefined && runtime.name !== "compose") {
        await createRuntime(settings, "compose").removeData();
      }
      removeOutside(paths);
      for (const path of Object.values(paths)) {
        if (path === paths.labDir) continue;
        rmSync(path, { recursive: true, force: true });
        // SQLite's companion of a lock file whose holder was killed.
        rmSync(`${path}-journal`, { force: true });
      }
      removeIfEmpty(paths.labDir);
      context.output.done(`Removed the lab's data, logs and downloads in ${settings.labDir}${volumes}`);
    });
}

/** LAB_DIR may be a directory with other things in it; only what the lab made there is its own. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Not empty, or not there: both are fine.
  }
}
