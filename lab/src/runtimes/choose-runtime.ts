/**
 * Which runtime a command means. Said by RUNTIME, it is that one. Left to the lab, it is the one that runs; when none
 * runs, compose where a Docker engine answers and the process runtime where none does.
 */
import { rmSync } from "node:fs";
import { z } from "zod";
import { LabError } from "../cli/lab-error.ts";
import { findEngine } from "../docker/engine.ts";
import { type LabPaths, labPaths } from "../paths.ts";
import { type RuntimeName, runtimes, type Settings } from "../settings.ts";
import { readJsonFile, writeJsonFile } from "../util/files.ts";
import { createRuntime } from "./create-runtime.ts";
import type { Runtime } from "./runtime.ts";

export interface ChosenRuntime {
  readonly runtime: Runtime;
  /** Why this one, for people. */
  readonly because: string;
}

export async function chooseRuntime(settings: Settings): Promise<ChosenRuntime> {
  if (settings.runtime !== "auto") {
    return { runtime: createRuntime(settings, settings.runtime), because: `RUNTIME=${settings.runtime}` };
  }
  const last = lastRuntime(labPaths(settings.labDir));
  if (last === "process") {
    const runtime = createRuntime(settings, "process");
    if ((await runtime.status()).state !== "stopped")
      return { runtime, because: "the lab was started on it" };
  }
  const found = await findEngine();
  if (found.usable) {
    return {
      runtime: createRuntime(settings, "compose"),
      because: `Docker engine ${found.engine.version} answers`,
    };
  }
  if (last === "compose") {
    // Its own commands tell best what has become of it.
    return { runtime: createRuntime(settings, "compose"), because: "the lab was started on it" };
  }
  return { runtime: createRuntime(settings, "process"), because: found.reason };
}

/**
 * For `up`: remembers what the lab is started on.
 * @throws LabError OTHER_LAB_RUNNING when it runs on another one
 */
export async function claimRuntime(settings: Settings, runtime: RuntimeName): Promise<void> {
  const paths = labPaths(settings.labDir);
  const last = lastRuntime(paths);
  if (last !== undefined && last !== runtime) {
    const { state } = await createRuntime(settings, last).status();
    if (state !== "stopped" && state !== "failed") {
      throw new LabError("OTHER_LAB_RUNNING", `The lab runs already, on the ${last} runtime.`, {
        reason: `This start is for the ${runtime} runtime.`,
        remedy: 'Run "make down" first, or leave RUNTIME out.',
      });
    }
  }
  writeJsonFile(paths.runtime, { runtime });
}

/** After `down`. */
export function forgetRuntime(labDir: string): void {
  rmSync(labPaths(labDir).runtime, { force: true });
}

const markSchema = z.object({ runtime: z.enum(runtimes) });

function lastRuntime(paths: LabPaths): RuntimeName | undefined {
  const parsed = markSchema.safeParse(readJsonFile(paths.runtime));
  return parsed.success ? parsed.data.runtime : undefined;
}
