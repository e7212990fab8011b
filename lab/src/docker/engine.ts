/**
 * Finding the Docker engine: where it listens, whether it answers, whether it is new enough. The lab speaks to it over
 * its API (dockerode); only building images and Compose itself go through the `docker` command (cli.ts).
 */
import { existsSync, readFileSync } from "node:fs";
import type Docker from "dockerode";
import { LabError, messageOf } from "../cli/lab-error.ts";
import { compareVersions } from "../util/versions.ts";
import { boundedClient } from "./bounded-client.ts";
import { clientOptions, type Environment, engineAddress, isMisaddressed } from "./engine-address.ts";

export interface Engine {
  /** Gives up with ETIMEDOUT when the engine falls silent; see bounded-client.ts for what it waits for. */
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

/** `denied`: it may well run, this user may not speak to it. `misaddressed`: its address cannot be used. */
export type EngineTrouble = "silent" | "denied" | "too-old" | "misaddressed";

/** Health checks are probed faster while a container starts (`start_interval`) from this version on. */
export const oldestEngine = "25.0.0";
const PING_MS = 3_000;

/** Never rejects: that there is no engine is an answer too. */
export async function findEngine(env: Environment = process.env): Promise<EngineFinding> {
  const address = await engineAddress(env);
  const { host } = address;
  try {
    const options = clientOptions(address, env);
    if (isMisaddressed(options)) return { usable: false, host, state: "misaddressed", ...options };
    const probe = boundedClient(options, { lookMs: PING_MS, changeMs: PING_MS });
    const version = await probe.version();
    if (typeof version.Version !== "string") throw new Error("what listens there is no Docker engine");
    if (compareVersions(version.Version, oldestEngine) < 0) {
      return {
        usable: false,
        host,
        state: "too-old",
        reason: `The Docker engine is version ${version.Version}; the lab needs ${oldestEngine}.`,
        remedy: "Upgrade Docker (https://docs.docker.com/engine/install/).",
      };
    }
    return { usable: true, engine: { client: boundedClient(options), host, version: version.Version } };
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

function explainSilence(host: string, error: unknown): { reason: string; remedy: string } {
  const { code } = error as { code?: string };
  if (code === "EACCES") {
    return {
      reason: `This user may not speak to the engine at ${host}.`,
      remedy:
        'Add the user to the group docker ("sudo usermod -aG docker $USER", then log in again), or use RUNTIME=process.',
    };
  }
  const missing = host.startsWith("unix://") && !existsSync(host.slice("unix://".length));
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
