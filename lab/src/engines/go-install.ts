/**
 * A program that Go builds from its module proxy, once, into LAB_DIR/engines. It is built apart and moved there when it
 * runs, so that neither an interruption nor two commands at once leave half of one.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import { labPaths } from "../paths.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import { runCommand } from "../util/run-command.ts";
import { goEnvironment } from "./go-environment.ts";

export interface GoProgram {
  /** What it is, for people: `k6`. */
  readonly title: string;
  /** With its version, as `go install` takes it. */
  readonly module: string;
  /** What Go calls the program, after the module's last directory. */
  readonly made: string;
  /** What it is called in LAB_DIR/engines. */
  readonly kept: string;
  /** For people: `about 15 s`. */
  readonly takes: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** What else a person can do. */
  readonly remedy: string;
}

export interface GoInstallOptions {
  labDir: string;
  signal: AbortSignal;
  onEvent(event: LabEvent): void;
}

const suffix = process.platform === "win32" ? ".exe" : "";

/** Where the program is once it has been built. */
export function goBuilt({ kept }: Pick<GoProgram, "kept">, labDir: string): string {
  return join(labPaths(labDir).engines, `${kept}${suffix}`);
}

/**
 * @param go path of the go program
 * @param runs whether what was built runs here
 * @returns the path of the program
 * @throws LabError COMMAND_FAILED with Go's last lines
 */
export async function goInstall(
  go: string,
  wanted: GoProgram,
  runs: (path: string) => Promise<boolean>,
  { labDir, signal, onEvent }: GoInstallOptions,
): Promise<string> {
  const { title, module, made, kept, takes, timeout, remedy } = wanted;
  const paths = labPaths(labDir);
  onEvent({ kind: "begin", text: `Building ${title} with Go (once, ${takes})` });
  mkdirSync(paths.engines, { recursive: true });
  mkdirSync(paths.logs, { recursive: true });
  const workspace = mkdtempSync(join(paths.engines, `${kept}-new-`));
  try {
    const result = await runCommand(go, ["install", module], {
      cwd: workspace,
      env: { ...goEnvironment(), GOBIN: workspace },
      timeout,
      signal,
    });
    const log = join(paths.logs, `${kept}-build.log`);
    writeFileSync(log, `${result.stdout}${result.stderr}`, { mode: 0o600 });
    signal.throwIfAborted();
    const fresh = join(workspace, `${made}${suffix}`);
    if (result.code === 0 && (await runs(fresh))) {
      renameSync(fresh, goBuilt(wanted, labDir));
      onEvent({ kind: "done", text: `${title} is built` });
      return goBuilt(wanted, labDir);
    }
    throw new LabError("COMMAND_FAILED", `${title} could not be built.`, {
      reason: result.error?.message ?? `go install ended with exit code ${result.code}.`,
      remedy: `Read ${log}, or ${remedy}.`,
      detail: result.stderr.trim().split("\n").slice(-8),
      cause: result.error,
    });
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}
