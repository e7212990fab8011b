/**
 * An engine on Debian and Ubuntu without installing it: apt downloads its packages into LAB_DIR with lists and caches of its
 * own, dpkg unpacks them there. Needs no root and leaves the system as it is.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import type { PrepareContext } from "../runtimes/process/process-runtime.ts";
import { findProgram, type RunResult, runCommand } from "../util/run-command.ts";

export interface AptPackage {
  /** What it is, for people: `Redis`. */
  readonly title: string;
  readonly package: string;
  /** Packages that are fetched even where they are installed: the program may be gone from PATH all the same. */
  readonly beside: readonly string[];
  /** Where the package has its program, such as `usr/bin/redis-server`. */
  readonly program: string;
  /** What else a person can do. */
  readonly remedy: string;
}

export interface UnpackedProgram {
  program: string;
  /** Directories for LD_LIBRARY_PATH. */
  libraries: string[];
}

/** True where this way of getting an engine can work. */
export function hasApt(path: string | undefined): boolean {
  return (
    process.platform === "linux" && ["apt-get", "dpkg"].every((name) => findProgram(name, path) !== undefined)
  );
}

/** What an earlier download has left ready, or undefined. */
export function unpackedProgram(
  wanted: Pick<AptPackage, "program">,
  directory: string,
): UnpackedProgram | undefined {
  const program = join(directory, wanted.program);
  if (!existsSync(program)) return undefined;
  const roots = [join(directory, "usr", "lib"), join(directory, "lib")];
  // Libraries are in lib/<architecture>/, such as lib/x86_64-linux-gnu/.
  const libraries = roots.filter(existsSync).flatMap((root) => [
    root,
    ...readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.includes("-linux-gnu"))
      .map((entry) => join(root, entry.name)),
  ]);
  return { program, libraries };
}

/**
 * Downloads and unpacks, about 10 s and 30 MB of lists once.
 * @param directory where it is unpacked to; appears only when whole
 * @throws LabError PREREQUISITE_MISSING with apt's last lines
 */
export async function downloadPackage(
  wanted: AptPackage,
  directory: string,
  context: PrepareContext,
): Promise<UnpackedProgram> {
  const { signal } = context;
  mkdirSync(join(directory, ".."), { recursive: true });
  const workspace = mkdtempSync(`${directory}-new-`);
  const tree = join(workspace, "tree");
  for (const name of ["lists/partial", "cache/archives/partial", "debs", "tree"]) {
    mkdirSync(join(workspace, name), { recursive: true });
  }
  const configuration = join(workspace, "apt.conf");
  writeFileSync(configuration, aptConfiguration(workspace));
  const apt = async (args: readonly string[]) => {
    const result = await runCommand("apt-get", ["-c", configuration, "-q", ...args], {
      cwd: join(workspace, "debs"),
      env: aptEnvironment(),
      timeout: 180_000,
      signal,
    });
    return assertDone(wanted, `apt-get ${args[0]}`, result, signal);
  };
  try {
    await apt(["update"]);
    // A simulated installation names exactly what this system lacks, libraries included.
    const { stdout } = await apt(["install", "--simulate", "--no-install-recommends", wanted.package]);
    const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name]) => String(name));
    await apt(["download", ...new Set([wanted.package, ...wanted.beside, ...missing])]);
    for (const file of readdirSync(join(workspace, "debs"))) {
      const unpack = await runCommand("dpkg", ["-x", join(workspace, "debs", file), tree], { signal });
      assertDone(wanted, "dpkg -x", unpack, signal);
    }
    rmSync(directory, { recursive: true, force: true });
    renameSync(tree, directory);
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
  const unpacked = unpackedProgram(wanted, directory);
  if (unpacked !== undefined) return unpacked;
  throw missing(wanted, `The packages hold no ${wanted.program}.`, []);
}

function aptConfiguration(workspace: string): string {
  // The hooks of the system's configuration clear the system's caches, which are none of ours.
  return `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
APT::Sandbox::User "root";
Acquire::Retries "2";
Acquire::Languages "none";
Dir::State::lists "${join(workspace, "lists")}";
Dir::Cache "${join(workspace, "cache")}";
Debug::NoLocking "true";
`;
}

/** Unlike other children apt needs the user's proxy settings. */
function aptEnvironment(): Record<string, string> {
  const wanted = /^(PATH|HOME|TMPDIR|LANG|APT_CONFIG|(https?|no|all|ftp)_proxy)$/i;
  const entries = Object.entries(process.env).filter(([name]) => wanted.test(name));
  return {
    ...(Object.fromEntries(entries) as Record<string, string>),
    LC_ALL: "C",
    DEBIAN_FRONTEND: "noninteractive",
  };
}

function assertDone(wanted: AptPackage, command: string, result: RunResult, signal: AbortSignal): RunResult {
  signal.throwIfAborted();
  if (result.code === 0) return result;
  const lines = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-8);
  throw missing(wanted, `${command}: ${result.error?.message ?? `exit code ${result.code}`}.`, lines);
}

function missing({ title, remedy }: AptPackage, reason: string, detail: readonly string[]): LabError {
  return new LabError("PREREQUISITE_MISSING", `${title} is not installed and could not be downloaded.`, {
    reason,
    remedy,
    detail,
  });
}
