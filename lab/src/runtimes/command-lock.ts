/** One command at a time starts or stops a lab, one runs an experiment on it, whatever it runs on. */
import { existsSync, mkdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { LabError } from "../cli/lab-error.ts";
import { type LabPaths, labPaths } from "../paths.ts";
import { type Lock, tryLock } from "../util/lock.ts";

const patience = 15_000;

/** @throws LabError BUSY when another command is at it */
export function lockCommand(paths: LabPaths): Lock {
  mkdirSync(paths.labDir, { recursive: true });
  return hold(
    paths.commandLock,
    "The lab is being started or stopped by another command.",
    'Wait until it is done and see "make status", or end it with Ctrl-C where it runs.',
  );
}

/**
 * Experiments are exclusive: each configures the services its own way, and counts all that goes through them.
 * @param busy what to say when one runs
 * @throws LabError BUSY
 */
export function lockExperiment(
  labDir: string,
  busy = "Another experiment is running on this lab.",
  otherwise?: string,
): Lock {
  const remedy = ["Wait until it has ended, or end it with Ctrl-C where it runs", otherwise]
    .filter(Boolean)
    .join("; ");
  return hold(labPaths(labDir).experimentLock, busy, `${remedy}.`);
}

/**
 * For `down` and `clean`: a lab is not taken from under an experiment by mistake.
 * @throws LabError BUSY
 */
export function assertNoExperiment(labDir: string): void {
  if (!existsSync(labDir)) return;
  lockExperiment(
    labDir,
    "An experiment is running on this lab.",
    '"make down FORCE=1" stops the lab under it',
  ).release();
}

/** For `down`: one right after an interrupted `up` gives that one time to clean up after itself. */
export async function waitForCommandLock(paths: LabPaths): Promise<Lock> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return lockCommand(paths);
    } catch (error) {
      if (performance.now() > deadline || !(error instanceof LabError)) throw error;
      await delay(100);
    }
  }
}

function hold(path: string, busy: string, remedy: string): Lock {
  const lock = tryLock(path);
  if (lock !== undefined) return lock;
  throw new LabError("BUSY", busy, { reason: `It holds ${path}.`, remedy });
}
