/** One command at a time starts or stops a lab, whatever it runs on. */
import { mkdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { LabError } from "../cli/lab-error.ts";
import type { LabPaths } from "../paths.ts";
import { type Lock, tryLock } from "../util/lock.ts";

const patience = 15_000;

/** @throws LabError BUSY when another command is at it */
export function lockCommand(paths: LabPaths): Lock {
  mkdirSync(paths.labDir, { recursive: true });
  const lock = tryLock(paths.commandLock);
  if (lock !== undefined) return lock;
  throw new LabError("BUSY", "The lab is being started or stopped by another command.", {
    reason: `It holds ${paths.commandLock}.`,
    remedy: 'Wait until it is done and see "make status", or end it with Ctrl-C where it runs.',
  });
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
