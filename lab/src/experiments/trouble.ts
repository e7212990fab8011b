/** What ends a run early, because nothing that it would still tell could be trusted. */

import { statfs } from "node:fs/promises";
import { LabError } from "../cli/lab-error.ts";
import type { LabStatus } from "../runtimes/runtime.ts";

const LEAST_FREE_MB = 64;

/**
 * A disk that runs full stops nobody: k6 goes on and its answers are lost. So the run ends before.
 * @throws LabError PREREQUISITE_MISSING
 */
export async function checkDisk(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = (bavail * bsize) / 2 ** 20;
  if (free < LEAST_FREE_MB)
    throw diskFull(directory, `${Math.floor(free)} MB are left on it; ${LEAST_FREE_MB} are the least.`);
}

export function diskFull(directory: string, reason: string, cause?: unknown): LabError {
  return new LabError("PREREQUISITE_MISSING", "The disk that results are written to is full.", {
    reason: `${reason} It holds ${directory.replace(/\.unfinished$/, "")}.`,
    remedy: "Make room there; old bundles below results/ may be removed.",
    cause,
  });
}

export function labGone({ failure }: LabStatus): LabError {
  return new LabError("NOT_RUNNING", "The lab stopped in the middle of the run.", {
    reason: failure?.what ?? "Somebody stopped it.",
    remedy: 'See "make status"; "make up" starts it again.',
    detail: failure?.log_tail,
  });
}

export function k6Failed(code: number | null, log: string): LabError {
  return new LabError("COMMAND_FAILED", `k6 did not run to its end (exit code ${code}).`, {
    remedy: `Read ${log.replace(/\.unfinished/, "")}.`,
  });
}
