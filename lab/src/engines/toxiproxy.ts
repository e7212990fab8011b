/**
 * toxiproxy, which puts latency, cuts and silence on the wire: the program on PATH, else one built before, else built now
 * by Go into LAB_DIR/engines. Only tests of faults need it; the lab does not.
 */
import { LabError } from "../cli/lab-error.ts";
import { findProgram, isExecutable, runCommand } from "../util/run-command.ts";
import { type GoInstallOptions, type GoProgram, goBuilt, goInstall } from "./go-install.ts";

export interface ToxiproxyOptions extends GoInstallOptions {
  /** The PATH to look in; the process' own unless told. */
  searchPath?: string | undefined;
}

const toxiproxy: GoProgram = {
  title: "toxiproxy",
  module: "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0",
  made: "server",
  kept: "toxiproxy-server",
  takes: "about 15 s",
  timeout: 300_000,
  remedy: "install toxiproxy from your package manager",
};

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
  return goInstall(go, toxiproxy, runs, options);
}

/** One that is there and runs, or undefined. Builds nothing. */
export async function findToxiproxy(
  labDir: string,
  searchPath = process.env.PATH,
): Promise<string | undefined> {
  for (const program of [findProgram("toxiproxy-server", searchPath), goBuilt(toxiproxy, labDir)]) {
    if (program !== undefined && (await runs(program))) return program;
  }
  return undefined;
}

/** What Go builds from its proxy calls its version "git". */
async function runs(path: string): Promise<boolean> {
  if (!isExecutable(path)) return false;
  const { code, stdout } = await runCommand(path, ["-version"], { timeout: 10_000 });
  return code === 0 && stdout.startsWith("toxiproxy-server");
}
