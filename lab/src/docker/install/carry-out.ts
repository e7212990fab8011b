/** Carries out a plan, step by step, and stops at the first that fails with what it said. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../cli/lab-error.ts";
import { startMark } from "../../util/processes.ts";
import type { RunResult } from "../../util/run-command.ts";
import { explainAptFailure } from "./apt-failures.ts";
import type { CommandStep, DaemonStep, FileStep, Step } from "./plan.ts";
import { runStep, type StepRunner } from "./run-step.ts";
import { type RunningDaemon, startDaemon } from "./start-daemon.ts";

export interface CarryOutOptions extends StepRunner {
  /** Called as each step begins. */
  onStep(step: Step, index: number): void;
}

/** How long another package manager is waited for; apt itself waits only for dpkg's lock, not for that of its lists. */
const lockWaitMs = 120_000;
const lockPollMs = 2_000;
const tailLines = 12;

/**
 * @returns the engine when a step has started it as a daemon; whoever called sees to its health and its end
 * @throws LabError COMMAND_FAILED that says which step failed and what to do; INTERRUPTED
 */
export async function carryOut(
  steps: readonly Step[],
  options: CarryOutOptions,
): Promise<RunningDaemon | undefined> {
  // What apt-get update warns of, such as a mirror that is away, is why the installation fails later.
  let said = "";
  let daemon: RunningDaemon | undefined;
  for (const [index, step] of steps.entries()) {
    options.signal.throwIfAborted();
    options.onStep(step, index);
    if (step.kind === "daemon") daemon = await startUnlessStarted(step, options);
    else if (step.kind === "file") await writeFile(step, options);
    else said += await runCommandStep(step, said, options);
  }
  return daemon;
}

/** Where an init script without systemd is allowed to, installing the package has started the engine already. */
async function startUnlessStarted(
  step: DaemonStep,
  options: CarryOutOptions,
): Promise<RunningDaemon | undefined> {
  const others = step.pidFiles.map((path) => pidIn(join(options.machine.root, path)));
  return others.some((pid) => pid !== undefined && startMark(pid) !== undefined)
    ? undefined
    : startDaemon(step, options);
}

function pidIn(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, "utf8"), 10) || undefined;
  } catch {
    return undefined;
  }
}

async function runCommandStep(step: CommandStep, said: string, options: CarryOutOptions): Promise<string> {
  const until = performance.now() + lockWaitMs;
  for (;;) {
    const result = await runStep(options, step);
    const output = `${result.stdout}\n${result.stderr}`;
    if (options.signal.aborted) throw interrupted(step, options.signal);
    if (result.code === 0) return output;
    const own = explainAptFailure(output);
    if (!own.passing || performance.now() >= until) throw failed(step, result, said);
    await sleep(lockPollMs, undefined, { signal: options.signal });
  }
}

async function writeFile(step: FileStep, options: CarryOutOptions): Promise<void> {
  // Not by this process itself: root's rights may be those of sudo.
  const command = ["sh", "-c", 'umask 022 && cat >"$1"', "sh", step.path] as const;
  const result = await runStep(options, { command, input: step.content, timeout: 60_000 });
  options.signal.throwIfAborted();
  if (result.code !== 0) throw failed(step, result);
}

/** @param before what the steps before it said: their complaints may be the cause */
function failed(step: CommandStep | FileStep, result: RunResult, before = ""): LabError {
  const own = `${result.stdout}\n${result.stderr}`;
  const complaints = lines(before).filter((line) => /^(W|E|Err)\b/.test(line));
  const { reason, remedy } = explainAptFailure(`${own}\n${complaints.join("\n")}`);
  const what = step.kind === "file" ? `write ${step.path}` : step.command.slice(0, 2).join(" ");
  const ended = result.error?.message ?? `exit code ${result.code}`;
  return new LabError("COMMAND_FAILED", `The engine could not be installed: ${what} failed (${ended}).`, {
    reason,
    remedy,
    detail: [...complaints, ...lines(own)].slice(-tailLines),
    cause: result.error,
  });
}

function interrupted(step: CommandStep, signal: AbortSignal): LabError {
  const { reason } = signal;
  const bare =
    reason instanceof LabError ? reason : new LabError("INTERRUPTED", "Interrupted.", { cause: reason });
  if (!step.command.includes("install") || step.command.includes("--download-only")) return bare;
  return new LabError("INTERRUPTED", "The installation was stopped between two packages.", {
    remedy: 'Run "make engine" again; if it asks for it, "sudo dpkg --configure -a" first.',
    cause: reason,
  });
}

function lines(output: string): string[] {
  return output
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
}
