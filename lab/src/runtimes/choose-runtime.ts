/**
 * Which runtime a command means. Said by RUNTIME, it is that one. Left to the lab, it is the one that runs; when none
 * runs, compose where a Docker engine answers and the process runtime where none does.
 */
import { LabError } from "../cli/lab-error.ts";
import { findEngine } from "../docker/engine.ts";
import { labPaths } from "../paths.ts";
import type { RuntimeName, Settings } from "../settings.ts";
import { readComposeState } from "./compose/state.ts";
import { createRuntime } from "./create-runtime.ts";
import type { Runtime } from "./runtime.ts";

export interface ChosenRuntime {
  readonly runtime: Runtime;
  /** Why this one, for people. */
  readonly because: string;
}

export async function chooseRuntime(settings: Settings): Promise<ChosenRuntime> {
  const chosen = (name: RuntimeName, because: string) => ({
    runtime: createRuntime(settings, name),
    because,
  });
  if (settings.runtime !== "auto") return chosen(settings.runtime, `RUNTIME=${settings.runtime}`);
  if (await runs(settings, "process")) return chosen("process", "the lab was started on it");
  const found = await findEngine();
  if (found.usable) return chosen("compose", `Docker engine ${found.engine.version} answers`);
  // The commands of a lab whose engine was stopped tell best what has become of it.
  if (wasComposed(settings)) return chosen("compose", "the lab was started on it");
  return chosen("process", found.reason.replace(/\.$/, ""));
}

/**
 * For `up` and `clean`: the same lab is not on two runtimes.
 * @throws LabError OTHER_LAB_RUNNING when it runs on the other runtime
 */
export async function assertOnlyOn(settings: Settings, name: RuntimeName): Promise<void> {
  const other = name === "compose" ? "process" : "compose";
  if (other === "compose" && !wasComposed(settings)) return;
  const { state } = await createRuntime(settings, other).status();
  // Of a lab that has failed nothing runs.
  if (state === "stopped" || state === "failed") return;
  throw new LabError("OTHER_LAB_RUNNING", `The lab runs already, on the ${other} runtime.`, {
    reason: `This command is for the ${name} runtime.`,
    remedy: `Run "make down RUNTIME=${other}" first ("node lab" reads RUNTIME from the environment and .env), or leave RUNTIME out.`,
  });
}

async function runs(settings: Settings, name: RuntimeName): Promise<boolean> {
  const { state } = await createRuntime(settings, name).status();
  return state !== "stopped";
}

/** From the start of a lab in containers to its `down`. */
function wasComposed(settings: Settings): boolean {
  return readComposeState(labPaths(settings.labDir)) !== undefined;
}
