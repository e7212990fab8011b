/** What a run was made on and with, for run.json: without it a figure cannot be compared. */

import os from "node:os";
import { rootDir } from "../paths.ts";
import { runCommand } from "../util/run-command.ts";

export async function describeMachine() {
  const [cpu] = os.cpus();
  return {
    os: `${os.type()} ${os.release()}`,
    arch: os.arch(),
    cpus: os.availableParallelism(),
    cpu_model: cpu?.model ?? "unknown",
    memory_mb: Math.round(os.totalmem() / 2 ** 20),
    load_average_before: os.loadavg().map((value) => Math.round(value * 100) / 100),
  };
}

/** `dirty`: the tree differed from the commit. Both null outside a git checkout. */
export async function describeCommit(): Promise<{ commit: string | null; dirty: boolean | null }> {
  const head = await runCommand("git", ["rev-parse", "HEAD"], { cwd: rootDir, timeout: 10_000 });
  if (head.code !== 0) return { commit: null, dirty: null };
  const status = await runCommand("git", ["status", "--porcelain"], { cwd: rootDir, timeout: 10_000 });
  return { commit: head.stdout.trim(), dirty: status.stdout.trim() !== "" };
}
