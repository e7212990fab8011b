/** Which systems a command means: those that PROFILE names; where it is left out, those of the lab that runs, and all where none does. */
import type { LabStatus } from "../runtimes/runtime.ts";
import { type Profile, profiles, type Settings } from "../settings.ts";

/** @param needs systems that the command cannot do without */
export function systemsFor(
  settings: Pick<Settings, "profiles" | "profileGiven">,
  running: readonly Profile[],
  needs: readonly string[] = [],
): readonly Profile[] {
  const base = settings.profileGiven || running.length === 0 ? settings.profiles : running;
  return profiles.filter((name) => base.includes(name) || needs.includes(name));
}

/** Of a lab that is stopped or has failed, none. */
export function systemsRunning(status: Pick<LabStatus, "state" | "profiles">): readonly Profile[] {
  if (status.state === "stopped" || status.state === "failed") return [];
  return profiles.filter((name) => status.profiles.includes(name));
}
