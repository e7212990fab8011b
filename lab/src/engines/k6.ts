/**
 * k6, the load generator: the program that K6 names, else one on PATH, else one built before, else built now by Go into
 * LAB_DIR/engines. Only load tests need it; `up` does not.
 */
import { LabError } from "../cli/lab-error.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import type { Settings } from "../settings.ts";
import { findProgram, isExecutable, runCommand } from "../util/run-command.ts";
import { type GoProgram, goBuilt, goInstall } from "./go-install.ts";

export interface K6 {
  path: string;
  version: string;
}

export interface K6Options {
  settings: Pick<Settings, "k6" | "labDir">;
  signal: AbortSignal;
  onEvent(event: LabEvent): void;
  /** The PATH to look in; the process' own unless told. */
  searchPath?: string | undefined;
}

const k6: GoProgram = {
  title: "k6",
  // The newest version that Go can build from its proxy.
  module: "go.k6.io/k6@v1.8.1",
  made: "k6",
  kept: "k6",
  takes: "about 90 s",
  timeout: 600_000,
  remedy: "install k6 from your package manager, or set K6 to the path of a k6 program",
};

/**
 * @throws LabError PREREQUISITE_MISSING when there is no k6 and none can be built, COMMAND_FAILED when the build fails
 */
export async function findOrBuildK6(options: K6Options): Promise<K6> {
  const found = await findK6(options.settings, options.searchPath);
  if (found !== undefined) return found;
  const go = findProgram("go", options.searchPath ?? process.env.PATH);
  if (go === undefined) {
    throw new LabError("PREREQUISITE_MISSING", "k6, which makes the load, is not installed.", {
      reason: "K6 names none, none is on PATH, and there is no Go to build it with.",
      remedy:
        "Install k6 (brew install k6, or your package manager) or Go, or set K6 to the path of a k6 program.",
    });
  }
  const { settings, signal, onEvent } = options;
  const runs = async (path: string) => (await versionOf(path)) !== undefined;
  const path = await goInstall(go, k6, runs, { labDir: settings.labDir, signal, onEvent });
  const built = await versionOf(path);
  if (built !== undefined) return built;
  throw new LabError("COMMAND_FAILED", `k6 was built and no longer runs: ${path}.`);
}

/**
 * A k6 that is there and runs, or undefined. Builds nothing.
 * @throws LabError PREREQUISITE_MISSING when K6 names a program that does not run: it was asked for by name
 */
export async function findK6(
  settings: Pick<Settings, "k6" | "labDir">,
  searchPath = process.env.PATH,
): Promise<K6 | undefined> {
  if (settings.k6 !== undefined) {
    const named = await versionOf(settings.k6);
    if (named !== undefined) return named;
    throw new LabError("PREREQUISITE_MISSING", `K6 names ${settings.k6}, which is no k6 that runs.`, {
      remedy: "Set K6 to the path of a k6 program, or unset it.",
    });
  }
  const onPath = findProgram("k6", searchPath);
  return (onPath && (await versionOf(onPath))) || versionOf(goBuilt(k6, settings.labDir));
}

async function versionOf(path: string): Promise<K6 | undefined> {
  if (!isExecutable(path)) return undefined;
  const { code, stdout } = await runCommand(path, ["version"], { timeout: 10_000 });
  const version = /\bv(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  return code === 0 && version !== undefined ? { path, version } : undefined;
}
