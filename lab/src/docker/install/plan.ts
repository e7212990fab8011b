/**
 * What `make engine` would do on a machine, as data: it is shown, asked about, tested, and then carried out step by step
 * (carry-out.ts). Planning touches nothing.
 *
 * - **step**: one command or one file, exactly as it will be run or written.
 * - **advice**: why nothing can be done here, and what a person can do instead.
 */
import { compareVersions } from "../../util/versions.ts";
import { type EngineFinding, oldestEngine } from "../engine.ts";
import { usualSocket } from "../engine-address.ts";
import { adviceElsewhere, adviceOnDockersPackages } from "./advice.ts";
import { pinFile, sourceFile, sourceOf } from "./apt-sources.ts";
import type { System } from "./system.ts";

export type Step = CommandStep | FileStep | DaemonStep;

export interface CommandStep {
  kind: "command";
  /** What it is for, one line. */
  why: string;
  command: readonly [string, ...string[]];
  /** Variables set for this command. */
  env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  timeout: number;
}

export interface FileStep {
  kind: "file";
  why: string;
  path: string;
  content: string;
}

/** A server that goes on after the command has ended. */
export interface DaemonStep {
  kind: "daemon";
  why: string;
  command: readonly [string, ...string[]];
  /** Where its output goes. */
  log: string;
  /** Where it answers, as in DOCKER_HOST. */
  host: string;
  /** Files that name the process of one that was started by somebody else. */
  pidFiles: readonly string[];
}

/** What is there of Docker, as a client sees it. */
export interface DockerState {
  engine: EngineFinding;
  /** True when `docker compose` is there and new enough. */
  compose: boolean;
  /** True when `docker buildx` is there. */
  buildx: boolean;
}

export type EnginePlan =
  | { possible: true; steps: readonly Step[]; sudo: boolean }
  | { possible: false; reason: string; remedy: string };

export const engineLog = "/var/log/parallax-dockerd.log";

const suite = "trixie";
const pinPath = `/etc/apt/preferences.d/parallax-${suite}`;
const sourcePath = `/etc/apt/sources.list.d/parallax-${suite}.sources`;
const debianPackages = ["docker.io", "docker-cli", "docker-compose", "docker-buildx", "iptables"];
// Ubuntu's docker.io holds the client, too; its docker-compose is the first Compose, which is another program.
const ubuntuPackages = ["docker.io", "docker-compose-v2", "docker-buildx", "iptables"];
const serverOnly = new Set(["docker.io", "iptables"]);
const undo = `Added by "make engine" of Parallax. To undo it, remove this file and the other parallax-${suite} file.`;

/** The steps from what is there to an engine that answers; only starting it when all is installed. */
export function planEngine(system: System, docker: DockerState): EnginePlan {
  const elsewhere = adviceElsewhere(system);
  if (elsewhere !== undefined) return { possible: false, ...elsewhere };
  const { engine } = docker;
  if (!engine.usable && (engine.state === "denied" || engine.state === "misaddressed")) {
    return { possible: false, reason: engine.reason, remedy: engine.remedy };
  }
  if (!engine.usable && !isUsual(engine.host)) {
    const remedy =
      'Start that engine, or unset DOCKER_HOST and choose the usual one ("docker context use default").';
    return { possible: false, reason: engine.reason, remedy };
  }
  const { root, sudo } = system.user;
  if (!root && !sudo) {
    return {
      possible: false,
      reason: "Installing and starting an engine takes root's rights, and there is no sudo.",
      remedy: 'Run "node lab engine" as root, or ask the administrator to; RUNTIME=process needs no engine.',
    };
  }
  const complete = isComplete(system, docker);
  const { foreign } = system.installed;
  if (!complete && foreign.length > 0) return { possible: false, ...adviceOnDockersPackages(foreign) };
  const install = complete ? [] : installSteps(system, engine.usable);
  const start = engine.usable ? [] : [startStep(system)];
  return { possible: true, steps: [...install, ...start], sudo: !root };
}

/** A step as a person would type it, or the file with its content. */
export function showStep(step: Step, sudo: boolean): string[] {
  const prefix = sudo ? "sudo " : "";
  switch (step.kind) {
    case "command": {
      const env = Object.entries(step.env).map(([name, value]) => `${name}=${value} `);
      return [`${prefix}${env.join("")}${step.command.map(quoted).join(" ")}`];
    }
    case "file":
      return [
        `${prefix}tee ${step.path}`,
        ...step.content
          .trimEnd()
          .split("\n")
          .map((line) => `  ${line}`),
      ];
    case "daemon": {
      const line = `${step.command.map(quoted).join(" ")} >>${step.log} 2>&1 &`;
      // The file is root's, too: without a shell of its own it would be opened by the user.
      return [sudo ? `sudo sh -c '${line}'` : line];
    }
  }
}

/** True when nothing but starting is left to do. */
function isComplete({ installed }: System, { engine, compose, buildx }: DockerState): boolean {
  const server =
    engine.usable ||
    (engine.state === "silent" &&
      installed.engine !== undefined &&
      compareVersions(installed.engine, oldestEngine) >= 0);
  return server && compose && buildx;
}

/** @param answers an engine does; only what goes with it is missing then, and a second one would do harm */
function installSteps(system: System, answers: boolean): Step[] {
  const packagesOf = (all: readonly string[]) =>
    answers ? all.filter((name) => !serverOnly.has(name)) : all;
  if (system.distribution?.id === "ubuntu") return aptSteps(packagesOf(ubuntuPackages));
  const packages = packagesOf(debianPackages);
  return isBookworm(system) ? [...trixieFiles(system), ...aptSteps(packages, suite)] : aptSteps(packages);
}

/**
 * By its package sources: what an engine from Debian 13 brings along includes base-files, so that a Debian 12 calls
 * itself 13 in /etc/os-release afterwards.
 */
function isBookworm({ distribution, aptSources }: System): boolean {
  return distribution?.codename === "bookworm" || sourceOf(aptSources, "bookworm") !== undefined;
}

/** None when somebody has added that source already; then its priority is theirs, too. */
function trixieFiles({ aptSources }: System): FileStep[] {
  if (sourceOf(aptSources, suite) !== undefined) return [];
  const present = sourceOf(aptSources, "bookworm") ?? {
    uris: ["http://deb.debian.org/debian"],
    suites: [],
    components: [],
    signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
  };
  // The pin first: the source is never there without it.
  return [
    {
      kind: "file",
      why: "let nothing come from Debian 13 by itself",
      path: pinPath,
      content: pinFile(suite, [undo]),
    },
    {
      kind: "file",
      why: "add Debian 13 as a source of packages: Debian 12's engine is too old and has no Compose",
      path: sourcePath,
      content: sourceFile(present, suite, [undo]),
    },
  ];
}

function aptSteps(packages: readonly string[], from?: string): CommandStep[] {
  const install = (...options: string[]): CommandStep["command"] => [
    ...(["apt-get", "install", "--yes", "--no-install-recommends"] as const),
    ...["-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold"],
    ...(from === undefined ? [] : ["-t", from]),
    ...options,
    ...packages,
  ];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const step = { kind: "command", env, timeout: 900_000 } as const;
  const also = from === undefined ? "" : ", with the C library of Debian 13 and what belongs to it";
  return [
    { ...step, why: "read the lists of packages", command: ["apt-get", "update"] },
    // Apart from the installation, so that all of the waiting for the network can be stopped without harm.
    { ...step, why: "download the packages", command: install("--download-only") },
    { ...step, why: `install them${also}`, command: install() },
  ];
}

function startStep({ systemd, localRoutes }: System): Step {
  if (systemd) {
    const command = ["systemctl", "enable", "--now", "docker"] as const;
    return {
      kind: "command",
      why: "start the engine, now and with the machine",
      command,
      env: {},
      timeout: 90_000,
    };
  }
  return {
    kind: "daemon",
    why: "start the engine; without systemd it runs until the machine stops",
    // Published ports by the kernel's routes. The program that would stand in between takes up to six files a connection, ends
    // when it is allowed no more of them (20,000 is a usual limit), and the port with it.
    command: localRoutes ? ["dockerd", "--userland-proxy=false"] : ["dockerd"],
    log: engineLog,
    host: usualSocket,
    pidFiles: ["/var/run/docker.pid", "/var/run/docker-ssd.pid"],
  };
}

function isUsual(host: string): boolean {
  return host === usualSocket || host === "unix:///run/docker.sock";
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
