/**
 * Starts dockerd where no service manager does: detached, with its output in a file, so that it outlives the command.
 * It is ended again when the command is stopped before it answers, or when it does not answer in time.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../cli/lab-error.ts";
import { startMark } from "../../util/processes.ts";
import { explainSudoRefusal } from "./apt-failures.ts";
import { explainDaemonLog, tellingLines } from "./daemon-failures.ts";
import type { DaemonStep } from "./plan.ts";
import { runStep, type StepRunner } from "./run-step.ts";

export interface RunningDaemon {
  pid: number;
  step: DaemonStep;
  /** False once it has ended. */
  alive(): boolean;
  /** What it has written since it was started, the end of it. */
  logTail(): string[];
}

const tailLines = 15;
const tailBytes = 64 * 1024;
const stopMs = 15_000;

/** @throws LabError COMMAND_FAILED when it cannot even be started */
export async function startDaemon(step: DaemonStep, runner: StepRunner): Promise<RunningDaemon> {
  const log = join(runner.machine.root, step.log);
  const begin = sizeOf(log);
  // A session of its own: neither Ctrl-C nor the terminal's end reaches it. The shell prints its pid and leaves.
  const script = 'umask 022; log=$1; shift; setsid "$@" >>"$log" 2>&1 </dev/null & echo $!';
  const command = ["sh", "-c", script, "sh", step.log, ...step.command] as const;
  const { code, stdout, stderr, error } = await runStep(runner, { command, timeout: 60_000 });
  const pid = Number(/^\d+$/m.exec(stdout)?.[0]);
  if (code !== 0 || !(pid > 1)) {
    throw new LabError("COMMAND_FAILED", "The engine could not be started.", {
      reason: error?.message ?? `The shell that starts it ended with exit code ${code}.`,
      ...explainSudoRefusal(stderr),
      detail: stderr.trim().split("\n"),
      cause: error,
    });
  }
  const start = startMark(pid);
  return {
    pid,
    step,
    alive: () => start !== undefined && startMark(pid) === start,
    logTail: () => readTail(log, begin),
  };
}

/** Ends the daemon in order; kills it when it does not end. Works also after the signal has been aborted. */
export async function stopDaemon(daemon: RunningDaemon, runner: StepRunner): Promise<void> {
  const own = { ...runner, signal: new AbortController().signal };
  for (const signal of ["TERM", "KILL"]) {
    if (!daemon.alive()) return;
    await runStep(own, { command: ["kill", `-${signal}`, String(daemon.pid)], timeout: 10_000 });
    const until = performance.now() + stopMs;
    while (daemon.alive() && performance.now() < until) await sleep(50);
  }
}

/** Why it does not answer, from its log. */
export function daemonFailure(daemon: RunningDaemon, what: string): LabError {
  const lines = daemon.logTail();
  const telling = tellingLines(lines);
  const { reason, remedy } = explainDaemonLog(lines);
  return new LabError("COMMAND_FAILED", what, {
    reason,
    remedy: `${remedy} Its log is ${daemon.step.log}.`,
    detail: (telling.length > 0 ? telling : lines).slice(-tailLines),
  });
}

function sizeOf(path: string): number {
  try {
    const file = openSync(path, "r");
    try {
      return fstatSync(file).size;
    } finally {
      closeSync(file);
    }
  } catch {
    return 0;
  }
}

function readTail(path: string, begin: number): string[] {
  try {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const from = Math.max(Math.min(begin, size), size - tailBytes);
      const buffer = Buffer.alloc(size - from);
      readSync(file, buffer, 0, buffer.length, from);
      return buffer.toString("utf8").trimEnd().split("\n");
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}
