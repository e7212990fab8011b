/**
 * What is written down about a running lab, for the commands that come after a crash: pids together with start times, so
 * that a pid which meanwhile belongs to somebody else is never signalled.
 */
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { LabError } from "../../cli/lab-error.ts";
import type { LabPaths } from "../../paths.ts";
import { readJsonFile, writeJsonFile } from "../../util/files.ts";
import { isSame, type ProcessMark, signalQuietly } from "../../util/processes.ts";
import type { LabFailure } from "../runtime.ts";

const markSchema = z.object({ pid: z.number().int().min(2), start: z.string() });

const stateSchema = z.object({
  supervisor: markSchema,
  socket: z.string(),
  since: z.string(),
  profiles: z.array(z.string()),
  parts: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(["engine", "service"]),
      port: z.number(),
      url: z.string(),
      version: z.string(),
      process: markSchema.nullable(),
    }),
  ),
});

export type LabStateFile = z.infer<typeof stateSchema>;

const failureSchema = z.object({
  part: z.string(),
  what: z.string(),
  log_tail: z.array(z.string()),
  at: z.string(),
});

/** The state file's content, or undefined when there is none that makes sense. */
export function readState(paths: LabPaths): LabStateFile | undefined {
  const parsed = stateSchema.safeParse(readJsonFile(paths.state));
  return parsed.success ? parsed.data : undefined;
}

export function writeState(paths: LabPaths, state: LabStateFile): void {
  writeJsonFile(paths.state, state);
}

export function removeState(paths: LabPaths): void {
  rmSync(paths.state, { force: true });
}

export function readFailure(paths: LabPaths): LabFailure | undefined {
  const parsed = failureSchema.safeParse(readJsonFile(paths.failure));
  return parsed.success ? parsed.data : undefined;
}

export function writeFailure(paths: LabPaths, failure: LabFailure): void {
  writeJsonFile(paths.failure, failure);
}

export function removeFailure(paths: LabPaths): void {
  rmSync(paths.failure, { force: true });
}

/**
 * Ends every process that the state file names and that is still the same process, in order first and by SIGKILL after
 * `grace`, then removes the file. Only for when no supervisor is in charge.
 * @param grace milliseconds
 * @returns how many processes were found alive
 * @throws LabError LEFTOVERS when one outlives even SIGKILL
 */
export async function sweep(paths: LabPaths, grace = 5_000): Promise<number> {
  const state = readState(paths);
  if (state === undefined) {
    removeState(paths);
    return 0;
  }
  const marks = [state.supervisor, ...state.parts.flatMap((part) => part.process ?? [])].filter(isSame);
  for (const { pid } of marks) signalGroup(pid, "SIGTERM");
  if (!(await allGone(marks, grace))) {
    for (const { pid } of marks.filter(isSame)) signalGroup(pid, "SIGKILL");
  }
  if (!(await allGone(marks, 5_000))) {
    const pids = marks.filter(isSame).map(({ pid }) => pid);
    throw new LabError("LEFTOVERS", `Processes of an earlier lab cannot be ended: ${pids.join(", ")}.`, {
      reason: "They belong to another user, or the system holds them in an uninterruptible state.",
      remedy: `End them by hand (kill -9 ${pids.join(" ")}), then run "make down" again.`,
    });
  }
  removeState(paths);
  return marks.length;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (process.platform !== "win32") signalQuietly(-pid, signal);
  signalQuietly(pid, signal);
  signalQuietly(pid, "SIGCONT");
}

async function allGone(marks: readonly ProcessMark[], timeout: number): Promise<boolean> {
  const deadline = performance.now() + timeout;
  while (marks.some(isSame)) {
    if (performance.now() > deadline) return false;
    await delay(25);
  }
  return true;
}
