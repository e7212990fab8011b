/**
 * The Redis engine: `redis-server` or `valkey-server` from PATH, else from Debian's packages unpacked under LAB_DIR. It
 * keeps an append-only file under LAB_DIR/data/redis and never evicts, as in containers (compose/backing.yaml): the log is
 * written before a command is answered, so that a kill loses nothing, and forced to disk each second.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import type { LabPaths } from "../paths.ts";
import type { PartPlan } from "../runtimes/process/plan.ts";
import type { PrepareContext } from "../runtimes/process/process-runtime.ts";
import { childEnvironment, findProgram, runCommand } from "../util/run-command.ts";
import { type AptPackage, downloadPackage, hasApt, unpackedProgram } from "./apt-package.ts";

const remedy = "Install redis-server or valkey-server with your package manager, then start again.";

const debian: AptPackage = {
  title: "Redis",
  package: "redis-server",
  beside: ["redis-tools"],
  program: "usr/bin/redis-server",
  remedy,
};

export interface RedisProgram {
  program: string;
  version: string;
  environment: Record<string, string>;
}

/**
 * A server that is there and runs, or undefined. Downloads nothing.
 * @param path the PATH to look in
 */
export async function findRedis(paths: LabPaths, path = process.env.PATH): Promise<RedisProgram | undefined> {
  for (const name of ["redis-server", "valkey-server"]) {
    const program = findProgram(name, path);
    const found = program && (await runnable(program, []));
    if (found) return found;
  }
  const unpacked = unpackedProgram(debian, join(paths.engines, "redis"));
  return unpacked && runnable(unpacked.program, unpacked.libraries);
}

/**
 * A server that is there and runs, or else one that is downloaded now.
 * @throws LabError PREREQUISITE_MISSING when there is none and none can be had
 */
export async function findOrDownloadRedis(paths: LabPaths, context: PrepareContext): Promise<RedisProgram> {
  return (await findRedis(paths)) ?? (await download(paths, context));
}

/**
 * Finds or downloads the server and says how to run it.
 * @throws LabError PREREQUISITE_MISSING when there is none and none can be had
 */
export async function prepareRedis(
  paths: LabPaths,
  port: number,
  context: PrepareContext,
): Promise<PartPlan> {
  const redis = await findOrDownloadRedis(paths, context);
  const data = join(paths.data, "redis");
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return {
    name: "redis",
    kind: "engine",
    command: redis.program,
    args: [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", data],
      ...["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""],
      ...["--maxmemory", "512mb", "--maxmemory-policy", "noeviction", "--daemonize", "no"],
    ],
    cwd: data,
    environment: redis.environment,
    port,
    portVariable: "REDIS_PORT",
    url: `redis://127.0.0.1:${port}`,
    version: redis.version,
    probe: { type: "redis", port },
    readyTimeout: 30_000,
    stopSignal: "SIGTERM",
    stopGrace: 10_000,
    dependsOn: [],
  };
}

async function download(paths: LabPaths, context: PrepareContext): Promise<RedisProgram> {
  if (!hasApt(process.env.PATH)) {
    const command =
      process.platform === "darwin" ? "brew install redis" : "your package manager (redis or valkey)";
    throw new LabError("PREREQUISITE_MISSING", "Redis is not installed.", {
      reason: "Neither redis-server nor valkey-server is on PATH.",
      remedy: `Install it with ${command}, then start again.`,
    });
  }
  context.onEvent({
    kind: "begin",
    text: "Downloading Redis into the lab's own directory (once, about 10 s)",
    part: "redis",
  });
  const { program, libraries } = await downloadPackage(debian, join(paths.engines, "redis"), context);
  const found = await runnable(program, libraries);
  if (found !== undefined) return found;
  const { stderr } = await runCommand(program, ["--version"], { env: environmentWith(libraries) });
  throw new LabError("PREREQUISITE_MISSING", "The downloaded Redis does not run here.", {
    remedy,
    detail: stderr.trim().split("\n"),
  });
}

async function runnable(program: string, libraries: readonly string[]): Promise<RedisProgram | undefined> {
  const environment = environmentWith(libraries);
  const { code, stdout } = await runCommand(program, ["--version"], { env: environment, timeout: 10_000 });
  if (code !== 0) return undefined;
  return { program, version: /v=(\S+)/.exec(stdout)?.[1] ?? "unknown", environment };
}

function environmentWith(libraries: readonly string[]): Record<string, string> {
  const base = childEnvironment(process.env);
  return libraries.length === 0 ? base : { ...base, LD_LIBRARY_PATH: libraries.join(":") };
}
