/**
 * Where the Docker engine listens, as the docker command would find it: DOCKER_HOST, else the chosen context, else the
 * usual socket; and how a client of its API has to be set up to reach it there.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { DockerOptions } from "dockerode";
import { hasCode, messageOf } from "../cli/lab-error.ts";
import { readJsonFile } from "../util/files.ts";
import { runDocker } from "./cli.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EngineAddress {
  /** As in DOCKER_HOST, such as unix:///var/run/docker.sock. */
  readonly host: string;
  /** A context that keeps TLS certificates of its own, by name. */
  readonly secureContext?: string;
}

/** Why an address cannot be used. */
export interface Misaddressed {
  readonly reason: string;
  readonly remedy: string;
}

/** Where an engine listens unless told otherwise. */
export const usualSocket = "unix:///var/run/docker.sock";
const INSPECT_MS = 3_000;

/** Never rejects. */
export async function engineAddress(env: Environment): Promise<EngineAddress> {
  if (env.DOCKER_HOST) return { host: env.DOCKER_HOST };
  const chosen = env.DOCKER_CONTEXT || currentContext(env);
  if (chosen !== undefined && chosen !== "" && chosen !== "default") {
    const args = ["context", "inspect", "--format", "{{json .}}", chosen];
    const { code, stdout } = await runDocker(args, { timeout: INSPECT_MS });
    const found = code === 0 ? contextAddress(chosen, stdout) : undefined;
    if (found !== undefined) return found;
  }
  return { host: process.platform === "win32" ? "npipe:////./pipe/docker_engine" : usualSocket };
}

/** @param described what `docker context inspect --format '{{json .}}'` prints; undefined when it holds no address */
export function contextAddress(name: string, described: string): EngineAddress | undefined {
  let context: DescribedContext;
  try {
    context = JSON.parse(described) as DescribedContext;
  } catch {
    return undefined;
  }
  const { Host: host, SkipTLSVerify: unverified } = context.Endpoints?.docker ?? {};
  if (host === undefined || host === "") return undefined;
  const secure = unverified === true || (context.TLSMaterial?.docker ?? []).length > 0;
  return { host, ...(secure ? { secureContext: name } : {}) };
}

interface DescribedContext {
  Endpoints?: { docker?: { Host?: string; SkipTLSVerify?: boolean } };
  TLSMaterial?: { docker?: string[] };
}

/** What a client needs to reach the engine there; it heeds nothing of this process's own DOCKER_HOST. */
export function clientOptions(
  { host, secureContext }: EngineAddress,
  env: Environment,
): DockerOptions | Misaddressed {
  if (secureContext !== undefined) {
    return {
      reason: `The docker context "${secureContext}" keeps TLS certificates, which the lab does not read.`,
      remedy: `Set DOCKER_HOST=${host}, DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, a directory with ca.pem, cert.pem and key.pem.`,
    };
  }
  const [, scheme = "", rest = ""] = /^(unix|npipe|tcp|https?|ssh):\/\/(.+)$/.exec(host) ?? [];
  if (scheme === "unix") return { ...nothing, socketPath: rest };
  if (scheme === "npipe") return { ...nothing, socketPath: rest.replaceAll("/", "\\") };
  const url = scheme === "" ? null : URL.parse(host);
  if (url === null || url.hostname === "") {
    return {
      reason: `DOCKER_HOST is "${host}", which is no address.`,
      remedy: "Correct DOCKER_HOST, or unset it.",
    };
  }
  // A URL keeps the brackets of an IPv6 address; a connection wants none.
  const to = { ...nothing, host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port };
  if (scheme === "ssh") {
    // docker-modem's ssh builds an address that Node no longer reads, and it asks for no host key.
    return {
      reason: `The engine at ${host} is behind ssh, which the lab does not speak.`,
      remedy: `Forward its socket, "ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock ${destination(url)}", and set DOCKER_HOST=unix:///tmp/engine.sock.`,
    };
  }
  const secure = scheme === "https" || Boolean(env.DOCKER_TLS_VERIFY) || url.port === "2376";
  if (!secure) return { ...to, protocol: "http", port: url.port || (scheme === "http" ? 80 : 2375) };
  try {
    return {
      ...to,
      protocol: "https",
      port: url.port || (scheme === "https" ? 443 : 2376),
      ...certificates(env),
    };
  } catch (error) {
    return {
      reason: `The certificates for the engine at ${host} cannot be read: ${messageOf(error)}.`,
      remedy: "Set DOCKER_CERT_PATH to a directory with ca.pem, cert.pem and key.pem.",
    };
  }
}

/** True for what `clientOptions` answers when there is no such client. */
export function isMisaddressed(options: DockerOptions | Misaddressed): options is Misaddressed {
  return "reason" in options;
}

/** docker-modem completes what it is given from this process's DOCKER_HOST, unless told that there is nothing. */
const nothing: DockerOptions = {
  socketPath: undefined,
  host: undefined,
  port: undefined,
  protocol: "http",
  ca: undefined,
  cert: undefined,
  key: undefined,
  timeout: undefined,
};

/** As the ssh command takes it. */
function destination({ username, hostname, port }: URL): string {
  return `${port === "" ? "" : `-p ${port} `}${username === "" ? "" : `${username}@`}${hostname}`;
}

/** Those that were asked for must be there; those of the usual directory may be, as for the docker command. */
function certificates(env: Environment): Pick<DockerOptions, "ca" | "cert" | "key"> {
  const directory = env.DOCKER_CERT_PATH || configDirectory(env);
  const read = (name: string) => {
    try {
      return readFileSync(join(directory, name));
    } catch (error) {
      if (!env.DOCKER_CERT_PATH && hasCode(error, "ENOENT")) return undefined;
      throw error;
    }
  };
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}

function currentContext(env: Environment): string | undefined {
  try {
    const config = readJsonFile(join(configDirectory(env), "config.json"));
    return (config as { currentContext?: string } | undefined)?.currentContext;
  } catch {
    // A file that this user may not read: the docker command goes on without it, too.
    return undefined;
  }
}

function configDirectory(env: Environment): string {
  return env.DOCKER_CONFIG || join(env.HOME || homedir(), ".docker");
}
