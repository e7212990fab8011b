/**
 * toxiproxy, which puts latency, cuts and silence on the wire: the program on PATH, else one built before, else built now
 * by Go into LAB_DIR/engines. Only tests of faults need it; the lab does not.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import { labPaths } from "../paths.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import { findProgram, isExecutable, runCommand } from "../util/run-command.ts";
import { goEnvironment } from "./go-environment.ts";

export interface ToxiproxyOptions {
  labDir: string;
  signal: AbortSignal;
  onEvent(event: LabEvent): void;
  /** The PATH to look in; the process' own unless told. */
  searchPath?: string | undefined;
}

const module = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0";
const buildTimeout = 300_000;
const suffix = process.platform === "win32" ? ".exe" : "";

/**
 * @returns the path of a toxiproxy-server that runs
 * @throws LabError PREREQUISITE_MISSING when there is none and none can be built, COMMAND_FAILED when the build fails
 */
export async function findOrBuildToxiproxy(options: ToxiproxyOptions): Promise<string> {
  const path = options.searchPath ?? process.env.PATH;
  const found = await findToxiproxy(options.labDir, path);
  if (found !== undefined) return found;
  const go = findProgram("go", path);
  if (go === undefined) {
    throw new LabError(
      "PREREQUISITE_MISSING",
      "toxiproxy, which tests put faults on the wire with, is not there.",
      {
        reason: "There is no toxiproxy-server on PATH, and no Go to build it with.",
        remedy: "Install toxiproxy (brew install toxiproxy, or your package manager) or Go.",
      },
    );
  }
  return build(go, options);
}

/** One that is there and runs, or undefined. Builds nothing. */
export async function findToxiproxy(
  labDir: string,
  searchPath = process.env.PATH,
): Promise<string | undefined> {
  for (const program of [findProgram("toxiproxy-server", searchPath), builtProgram(labDir)]) {
    if (program !== undefined && (await runs(program))) return program;
  }
  return undefined;
}

async function build(go: string, { labDir, signal, onEvent }: ToxiproxyOptions): Promise<string> {
  const paths = labPaths(labDir);
  onEvent({ kind: "begin", text: "Building toxiproxy with Go (once, about 15 s)" });
  mkdirSync(paths.engines, { recursive: true });
  mkdirSync(paths.logs, { recursive: true });
  // Go names the program `server`. Built apart and renamed, so that test files that build it at once do not meet.
  const workspace = mkdtempSync(join(paths.engines, "toxiproxy-new-"));
  try {
    const result = await runCommand(go, ["install", module], {
      cwd: workspace,
      env: { ...goEnvironment(), GOBIN: workspace },
      timeout: buildTimeout,
      signal,
    });
    const log = join(paths.logs, "toxiproxy-build.log");
    writeFileSync(log, `${result.stdout}${result.stderr}`, { mode: 0o600 });
    signal.throwIfAborted();
    const made = join(workspace, `server${suffix}`);
    if (result.code === 0 && (await runs(made))) {
      renameSync(made, builtProgram(labDir));
      onEvent({ kind: "done", text: "toxiproxy is built" });
      return builtProgram(labDir);
    }
    throw new LabError("COMMAND_FAILED", "toxiproxy could not be built.", {
      reason: result.error?.message ?? `go install ended with exit code ${result.code}.`,
      remedy: `Read ${log}, or install toxiproxy from your package manager.`,
      detail: result.stderr.trim().split("\n").slice(-8),
      cause: result.error,
    });
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

function builtProgram(labDir: string): string {
  return join(labPaths(labDir).engines, `toxiproxy-server${suffix}`);
}

/** What Go builds from its proxy calls its version "git". */
async function runs(path: string): Promise<boolean> {
  if (!isExecutable(path)) return false;
  const { code, stdout } = await runCommand(path, ["-version"], { timeout: 10_000 });
  return code === 0 && stdout.startsWith("toxiproxy-server");
}
