/**
 * The Debian that the packaged images stand on: made by debootstrap (compose/images/debian/make-root.sh), imported into
 * the engine. Needs Linux, root's rights and debootstrap.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import { runDocker } from "../docker/cli.ts";
import type { AptSource } from "../docker/install/apt-sources.ts";
import { runStep } from "../docker/install/run-step.ts";
import {
  inspectSystem,
  type Machine,
  type System,
  searchPath,
  thisMachine,
} from "../docker/install/system.ts";
import { childEnvironment, findProgram, type RunResult, runCommand } from "../util/run-command.ts";
import { explainBuildFailure, writeLog } from "./build-image.ts";
import { debianSuite, type Recipe, recipeDirectory, recipeLabel } from "./recipes.ts";

export interface DebianOptions {
  readonly root: string;
  readonly labDir: string;
  /** Where the tar file is while it is made. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** debootstrap may be installed without asking. */
  readonly mayInstall: boolean;
  /** A person is there whom sudo can ask for the password. */
  readonly interactive: boolean;
  readonly onEvent: (event: { kind: "begin" | "done"; text: string }) => void;
  /** This one unless told. */
  readonly machine?: Machine;
}

export interface Mirrors {
  readonly main: string;
  readonly security: string;
}

const MAKE_MS = 15 * 60_000;
const packages = ["debootstrap", "debian-archive-keyring"];
const byHand = `apt-get install ${packages.join(" ")}`;
/** Debian's keys: Ubuntu has them in a package of their own. */
const keyring = "usr/share/keyrings/debian-archive-keyring.gpg";

/** @throws LabError PREREQUISITE_MISSING that says what to install; COMMAND_FAILED with the end of the log */
export async function buildDebian(recipe: Recipe, hash: string, options: DebianOptions): Promise<void> {
  const { labDir, signal, directory, machine = thisMachine(process.env) } = options;
  const system = await inspectSystem(machine);
  assertCanBeRoot(system);
  await ensureDebootstrap(machine, system, options);
  mkdirSync(directory, { recursive: true });
  const tarball = join(directory, `debian-${debianSuite}.tar`);
  const mirrors = debianMirrors(system.distribution?.id, system.aptSources);
  const script = join(recipeDirectory(options.root, "debian"), "make-root.sh");
  const [program, ...rights] = asRoot(system, options);
  try {
    const made = await runCommand(
      program,
      [...rights, script, debianSuite, mirrors.main, mirrors.security, tarball],
      { env: scriptEnvironment(machine), timeout: MAKE_MS, signal },
    );
    const log = writeLog(labDir, "debian", made);
    signal.throwIfAborted();
    if (made.code !== 0) throw explainDebootstrap(made, log);
    const changes = ['CMD ["bash"]', `LABEL ${recipeLabel}=${hash}`].flatMap((line) => ["--change", line]);
    const imported = await runDocker(["import", ...changes, tarball, recipe.reference], {
      timeout: 120_000,
      signal,
    });
    signal.throwIfAborted();
    if (imported.code !== 0) throw explainBuildFailure("debian", imported, log);
  } finally {
    removeQuietly(tarball);
    removeQuietly(`${tarball}.root`);
  }
}

/** Those of this machine where it is a Debian itself: they may be nearer, or the only ones that it reaches. */
export function debianMirrors(distribution: string | undefined, sources: readonly AptSource[]): Mirrors {
  const uris = distribution === "debian" ? sources.flatMap(({ uris }) => uris) : [];
  // What the image's own apt shall use must be a plain address, and no secret.
  const plain = uris.filter((uri) => /^https?:\/\/[^@]+$/.test(uri)).map((uri) => uri.replace(/\/+$/, ""));
  return {
    main: plain.find((uri) => uri.endsWith("/debian")) ?? "http://deb.debian.org/debian",
    security:
      plain.find((uri) => uri.endsWith("/debian-security")) ?? "http://deb.debian.org/debian-security",
  };
}

/** Under sudo they are root's and may stay; that must not stand before why the making failed. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next making replaces them.
  }
}

function explainDebootstrap(made: RunResult, log: string): LabError {
  const explained = explainBuildFailure("debian", made, log);
  if (!/unknown key|No keyring|NO_PUBKEY/i.test(`${made.stdout}${made.stderr}`)) return explained;
  return new LabError("PREREQUISITE_MISSING", explained.message, {
    reason: `This machine's keys of Debian are too old to check Debian ${debianSuite}.`,
    remedy:
      "Install a newer package debian-archive-keyring (from Debian itself, if need be), then try again.",
    detail: explained.detail,
  });
}

function assertCanBeRoot({ platform, user }: System): void {
  if (platform !== "linux") {
    throw new LabError("PREREQUISITE_MISSING", "Images can be built from packages on Linux only.", {
      reason: "Their base is made with debootstrap.",
      remedy:
        '"make up" pulls the official images by itself; "make images-load" takes those of another machine.',
    });
  }
  if (user.root || user.sudo) return;
  throw new LabError("PREREQUISITE_MISSING", "The base of the images cannot be made.", {
    reason: "debootstrap needs root's rights, and there is no sudo.",
    remedy: 'Run "node lab images" once as root.',
  });
}

async function ensureDebootstrap(machine: Machine, system: System, options: DebianOptions): Promise<void> {
  const { signal, interactive } = options;
  const path = searchPath(machine.env).split(":");
  const below = path.map((directory) => join(machine.root, directory)).join(":");
  const isThere = () =>
    findProgram("debootstrap", below) !== undefined &&
    (!system.apt || existsSync(join(machine.root, keyring)));
  if (isThere()) return;
  const missing = (remedy: string, detail: readonly string[] = []) =>
    new LabError("PREREQUISITE_MISSING", "debootstrap or Debian's keyring is not installed.", {
      reason: "It makes the Debian that the images stand on.",
      remedy,
      detail,
    });
  if (!system.apt) throw missing("Install debootstrap with the system's package manager, then try again.");
  if (!options.mayInstall) {
    throw missing(`"${system.user.root ? "" : "sudo "}${byHand}", or let it be done: "make images YES=1".`);
  }
  options.onEvent({ kind: "begin", text: "Installing debootstrap" });
  const runner = { machine, sudo: !system.user.root, interactive, signal };
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await runStep(runner, { command: ["apt-get", "update"], env, timeout: 180_000 });
  const { stdout, stderr } = await runStep(runner, {
    command: ["apt-get", "install", "--yes", "--no-install-recommends", ...packages],
    env,
    timeout: 300_000,
  });
  signal.throwIfAborted();
  if (!isThere())
    throw missing(`Install it by hand: "${byHand}".`, `${stdout}${stderr}`.trim().split("\n").slice(-8));
  options.onEvent({ kind: "done", text: "debootstrap is installed" });
}

function asRoot({ user }: System, { interactive }: DebianOptions): [string, ...string[]] {
  if (user.root) return ["sh"];
  return [
    "sudo",
    ...(interactive ? [] : ["--non-interactive"]),
    "--preserve-env=http_proxy,https_proxy",
    "sh",
  ];
}

function scriptEnvironment(machine: Machine): Record<string, string> {
  const wanted = /^(https?|no|all)_proxy$/i;
  const own = Object.entries(machine.env).filter(([name]) => wanted.test(name));
  return {
    ...childEnvironment(machine.env),
    ...(Object.fromEntries(own) as Record<string, string>),
    PATH: searchPath(machine.env),
    LC_ALL: "C",
  };
}
