/**
 * What `make engine` has to know of a machine before it plans: which system it is, where its packages come from, what
 * of Docker is there, who asks. Reads only.
 */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { hasCode } from "../../cli/lab-error.ts";
import { childEnvironment, findProgram, type RunResult, runCommand } from "../../util/run-command.ts";
import { type AptSource, parseDeb822, parseOneLine } from "./apt-sources.ts";

/** The machine to look at and to work on. */
export interface Machine {
  /** The directory that stands for `/`. */
  readonly root: string;
  /** What every command is started with; empty here, `chroot <root>` for a system below a directory. */
  readonly launcher: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Lower-case names as in /etc/os-release. */
export interface Distribution {
  id: string;
  /** For people, such as "Debian GNU/Linux 12 (bookworm)". */
  name: string;
  codename: string | undefined;
  version: string | undefined;
}

export interface System {
  platform: NodeJS.Platform;
  distribution: Distribution | undefined;
  /** True where apt-get is. */
  apt: boolean;
  aptSources: readonly AptSource[];
  user: { root: boolean; name: string; sudo: boolean };
  /** True when systemd runs the machine's services. */
  systemd: boolean;
  /** True where the kernel may be told to route 127.0.0.1 to containers; not within most containers. */
  localRoutes: boolean;
  installed: {
    /** Version of the engine that is installed, running or not. */
    engine: string | undefined;
    /** Packages of Docker's own archive, which those of the distribution would replace. */
    foreign: readonly string[];
  };
}

/** The machine that this process runs on. */
export function thisMachine(env: Machine["env"] = process.env): Machine {
  return { root: "/", launcher: [], env };
}

/** Never rejects: what cannot be read is not there. */
export async function inspectSystem(machine: Machine): Promise<System> {
  const platform = process.platform;
  if (platform !== "linux") {
    const user = { root: false, name: machine.env.USER ?? "", sudo: false };
    const installed = { engine: undefined, foreign: [] };
    const nothing = {
      distribution: undefined,
      apt: false,
      aptSources: [],
      systemd: false,
      localRoutes: false,
    };
    return { platform, ...nothing, user, installed };
  }
  const path = searchPath(machine.env);
  const [engine, foreign] = await Promise.all([installedEngine(machine), foreignPackages(machine)]);
  return {
    platform,
    distribution: readDistribution(machine.root),
    apt: existsSync(join(machine.root, "usr/bin/apt-get")),
    aptSources: readAptSources(machine.root),
    user: {
      root: process.getuid?.() === 0,
      name: machine.env.USER ?? machine.env.LOGNAME ?? "",
      sudo: findProgram("sudo", path) !== undefined,
    },
    systemd: existsSync(join(machine.root, "run/systemd/system")),
    localRoutes: mayBeWritten(join(machine.root, "proc/sys/net/ipv4/conf/all/route_localnet")),
    installed: { engine, foreign },
  };
}

/** Where an administrator's programs are, which a user's PATH often leaves out. */
export function searchPath(env: Machine["env"]): string {
  return [env.PATH ?? "/usr/local/bin:/usr/bin:/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"].join(":");
}

/** Runs a short command on the machine, without privileges. */
export function ask(machine: Machine, command: readonly [string, ...string[]]): Promise<RunResult> {
  const [program, ...args] = [...machine.launcher, ...command] as [string, ...string[]];
  const env = { ...childEnvironment(machine.env), PATH: searchPath(machine.env), LC_ALL: "C" };
  return runCommand(program, args, { env, timeout: 10_000 });
}

function readDistribution(root: string): Distribution | undefined {
  const text = readText(join(root, "etc/os-release")) ?? readText(join(root, "usr/lib/os-release"));
  if (text === undefined) return undefined;
  const values = parseEnv(text);
  const id = values.ID ?? "linux";
  return {
    id,
    name: values.PRETTY_NAME ?? id,
    codename: values.VERSION_CODENAME,
    version: values.VERSION_ID,
  };
}

/** Every enabled source, as apt reads them: sources.list, then *.list and *.sources by name. */
function readAptSources(root: string): AptSource[] {
  const directory = join(root, "etc/apt/sources.list.d");
  const files = [join(root, "etc/apt/sources.list"), ...list(directory).map((name) => join(directory, name))];
  return files.flatMap((file) => {
    const text = readText(file) ?? "";
    if (file.endsWith(".list")) return parseOneLine(text);
    return file.endsWith(".sources") ? parseDeb822(text) : [];
  });
}

async function installedEngine(machine: Machine): Promise<string | undefined> {
  const { code, stdout } = await ask(machine, ["dockerd", "--version"]);
  return code === 0 ? /\bversion (\d+\.\d+[^\s,]*)/.exec(stdout)?.[1] : undefined;
}

async function foreignPackages(machine: Machine): Promise<string[]> {
  const names = [
    "docker-ce",
    "docker-ce-cli",
    "docker-compose-plugin",
    "docker-buildx-plugin",
    "containerd.io",
  ];
  // Exit code 1 when one of them is unknown; the others are listed all the same.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own format
  const format = "${db:Status-Status} ${Package}\n";
  const { stdout } = await ask(machine, ["dpkg-query", "--show", `--showformat=${format}`, ...names]);
  return [...stdout.matchAll(/^installed (\S+)$/gm)].map(([, name]) => String(name));
}

/** By root, whoever asks: a file system that is read-only is so for everybody. */
function mayBeWritten(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    return hasCode(error, "EACCES");
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
