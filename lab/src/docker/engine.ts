/**
 * Finding the Docker engine: where it listens, whether it answers, whether it is new enough. The lab speaks to it over
 * its API (dockerode); only building images and Compose itself go through the `docker` command (cli.ts).
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { LabError, messageOf } from "../cli/lab-error.ts";
import { readJsonFile } from "../util/files.ts";
import { compareVersions } from "../util/versions.ts";
import { runDocker } from "./cli.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Engine {
  readonly client: Docker;
  /** As in DOCKER_HOST, such as unix:///var/run/docker.sock. */
  readonly host: string;
  /** Of the engine, such as 26.1.5. */
  readonly version: string;
}

/** What was found: an engine that can be used, or why there is none and how to get one. */
export type EngineFinding =
  | { readonly usable: true; readonly engine: Engine }
  | {
      readonly usable: false;
      /** As in DOCKER_HOST. */
      readonly host: string;
      readonly state: EngineTrouble;
      readonly reason: string;
      readonly remedy: string;
    };

/** `denied`: it may well run, this user may not speak to it. `misaddressed`: the address is none. */
export type EngineTrouble = "silent" | "denied" | "too-old" | "misaddressed";

/** Health checks are probed faster while a container starts (`start_interval`) from this version on. */
export const oldestEngine = "25.0.0";
/** Where an engine listens unless told otherwise. */
export const usualSocket = "unix:///var/run/docker.sock";
const PING_MS = 3_000;

/** Never rejects: that there is no engine is an answer too. */
export async function findEngine(env: Environment = process.env): Promise<EngineFinding> {
  const host = await engineHost(env);
  if (!/^(unix|npipe|tcp|https?|ssh):\/\//.test(host)) {
    return {
      usable: false,
      host,
      state: "misaddressed",
      reason: `DOCKER_HOST is "${host}", which is no address.`,
      remedy: "Correct DOCKER_HOST, or unset it.",
    };
  }
  const options = clientOptions(host);
  const client = new Docker(options);
  try {
    // A client of its own, which gives up: a request that stays open would keep this process from ending.
    const probe = new Docker({ ...options, timeout: PING_MS });
    const version = await withTimeout(probe.version(), PING_MS);
    if (compareVersions(version.Version, oldestEngine) < 0) {
      return {
        usable: false,
        host,
        state: "too-old",
        reason: `The Docker engine is version ${version.Version}; the lab needs ${oldestEngine}.`,
        remedy: "Upgrade Docker (https://docs.docker.com/engine/install/).",
      };
    }
    return { usable: true, engine: { client, host, version: version.Version } };
  } catch (error) {
    const state = (error as { code?: string }).code === "EACCES" ? "denied" : "silent";
    return { usable: false, host, state, ...explainSilence(host, error) };
  }
}

/** @throws LabError PREREQUISITE_MISSING that says how to get an engine */
export async function requireEngine(env: Environment = process.env): Promise<Engine> {
  const found = await findEngine(env);
  if (found.usable) return found.engine;
  throw new LabError("PREREQUISITE_MISSING", "No Docker engine can be used.", found);
}

/** DOCKER_HOST, else the chosen context's address, else the usual socket. */
async function engineHost(env: Environment): Promise<string> {
  if (env.DOCKER_HOST) return env.DOCKER_HOST;
  const home = env.HOME ?? homedir();
  const config = readJsonFile(join(env.DOCKER_CONFIG ?? join(home, ".docker"), "config.json"));
  const chosen = env.DOCKER_CONTEXT ?? (config as { currentContext?: string } | undefined)?.currentContext;
  if (chosen !== undefined && chosen !== "default") {
    const format = "{{.Endpoints.docker.Host}}";
    const { code, stdout } = await runDocker(["context", "inspect", "--format", format], {
      timeout: PING_MS,
    });
    if (code === 0 && stdout.trim() !== "") return stdout.trim();
  }
  if (process.platform === "win32") return "npipe:////./pipe/docker_engine";
  return usualSocket;
}

function clientOptions(host: string): Docker.DockerOptions {
  const url = new URL(host);
  if (url.protocol === "unix:") return { socketPath: url.pathname };
  if (url.protocol === "npipe:") return { socketPath: url.pathname.replaceAll("/", "\\") };
  // docker-modem reads DOCKER_HOST and the certificates beside it by itself.
  if (process.env.DOCKER_HOST === host) return {};
  const protocol = url.protocol === "ssh:" ? "ssh" : url.protocol === "https:" ? "https" : "http";
  return { protocol, host: url.hostname, port: Number(url.port) || 2375 };
}

function explainSilence(host: string, error: unknown): { reason: string; remedy: string } {
  const { code } = error as { code?: string };
  if (code === "EACCES") {
    return {
      reason: `This user may not speak to the engine at ${host}.`,
      remedy:
        'Add the user to the group docker ("sudo usermod -aG docker $USER", then log in again), or use RUNTIME=process.',
    };
  }
  const local = host.startsWith("unix://");
  const missing = local && !existsSync(new URL(host).pathname);
  return {
    reason: missing
      ? `There is no engine at ${host}.`
      : `The engine at ${host} does not answer: ${messageOf(error)}.`,
    remedy: isDebianOrUbuntu()
      ? '"make engine" installs and starts one; RUNTIME=process needs none.'
      : "Start Docker, or install it (https://docs.docker.com/engine/install/); RUNTIME=process needs none.",
  };
}

function isDebianOrUbuntu(): boolean {
  try {
    return /^ID="?(debian|ubuntu)"?$/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

async function withTimeout<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
