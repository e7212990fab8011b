/**
 * What the lab needs of this machine, each with its finding and how to mend it. Checks change nothing and never throw:
 * what cannot be found out is a warning.
 */
import { readFileSync, statfsSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { LabError, messageOf } from "../cli/lab-error.ts";
import { findK6 } from "../engines/k6.ts";
import { packagedBinaries } from "../engines/postgres-home.ts";
import { findRedis } from "../engines/redis.ts";
import { hasApt } from "../engines/redis-apt.ts";
import { labPaths } from "../paths.ts";
import type { LabStatus } from "../runtimes/runtime.ts";
import { portSettings, portVariables, type Settings, settingsSchema } from "../settings.ts";
import { describeHolder, isPortFree } from "../util/ports.ts";
import { childEnvironment, findProgram, runCommand } from "../util/run-command.ts";

export interface Finding {
  check: string;
  state: "ok" | "warn" | "fail";
  /** What was found. */
  found: string;
  /** How to mend it; only when there is something to mend. */
  fix?: string;
}

const gibibyte = 1024 ** 3;

/** @param status of the lab, whose own ports are not taken */
export async function checkMachine(settings: Settings, root: string, status: LabStatus): Promise<Finding[]> {
  const path = process.env.PATH;
  const groups = await Promise.all([
    checkNode(path),
    checkRoom(settings, root),
    checkPorts(settings, status),
    checkPostgres(),
    checkRedis(settings, path),
    checkK6(settings, path),
    checkDocker(path),
    checkDotEnv(root),
  ]);
  return groups.flat();
}

async function checkNode(path: string | undefined): Promise<Finding[]> {
  const npm = findProgram("npm", path);
  const among = process.execPath.includes("node_modules") ? "among the npm packages" : "installed";
  return [
    { check: "node", state: "ok", found: `${process.versions.node}, ${among} (${process.execPath})` },
    npm === undefined
      ? {
          check: "npm",
          state: "warn",
          found: "not on PATH",
          fix: "It is needed when packages change; install Node with npm.",
        }
      : { check: "npm", state: "ok", found: npm },
  ];
}

function checkRoom(settings: Settings, root: string): Finding[] {
  const { bavail, bsize } = statfsSync(root);
  const disk = (bavail * bsize) / gibibyte;
  // What the system would hand out, caches included, where it says so.
  const memory = availableMemory() / gibibyte;
  return [
    {
      check: "disk",
      state: disk < 0.5 ? "fail" : disk < 2 ? "warn" : "ok",
      found: `${disk.toFixed(1)} GiB free for ${settings.labDir}`,
      ...(disk < 2 && { fix: "Free 2 GiB, or set LAB_DIR to a disk with more room." }),
    },
    {
      check: "memory",
      state: memory < 0.7 ? "warn" : "ok",
      found: `${memory.toFixed(1)} of ${(totalmem() / gibibyte).toFixed(1)} GiB available`,
      ...(memory < 0.7 && { fix: "The lab takes about 0.7 GiB; end other programs." }),
    },
  ];
}

async function checkPorts(settings: Settings, status: LabStatus): Promise<Finding[]> {
  const own = new Set(status.parts.filter(({ pid }) => pid !== null).map(({ port }) => port));
  return Promise.all(
    portVariables.map(async (variable): Promise<Finding> => {
      const port = settings.ports[portSettings[variable]];
      const check = `port ${port}`;
      if (own.has(port)) return { check, state: "ok", found: "used by this lab" };
      if (await isPortFree(port)) return { check, state: "ok", found: `free (${variable})` };
      return {
        check,
        state: "fail",
        found: describeHolder(port),
        fix: `Stop it, or set ${variable} to a free port.`,
      };
    }),
  );
}

async function checkPostgres(): Promise<Finding[]> {
  try {
    const { postgres } = await packagedBinaries();
    return [{ check: "postgres", state: "ok", found: postgres }];
  } catch (error) {
    return [failed("postgres", error)];
  }
}

async function checkRedis(settings: Settings, path: string | undefined): Promise<Finding[]> {
  const redis = await findRedis(labPaths(settings.labDir), path);
  if (redis !== undefined)
    return [{ check: "redis", state: "ok", found: `${redis.version} (${redis.program})` }];
  if (hasApt(path)) {
    const found = "not installed; the first start downloads it into the lab's own directory";
    return [
      { check: "redis", state: "warn", found, fix: "Nothing, or install redis-server to save the download." },
    ];
  }
  return [
    { check: "redis", state: "fail", found: "not installed", fix: "Install redis-server or valkey-server." },
  ];
}

async function checkK6(settings: Settings, path: string | undefined): Promise<Finding[]> {
  const go = findProgram("go", path);
  const compiler: Finding = {
    check: "go",
    state: "ok",
    found: go ?? "not installed; only needed to build k6",
  };
  try {
    const k6 = await findK6(settings, path);
    if (k6 !== undefined)
      return [{ check: "k6", state: "ok", found: `${k6.version} (${k6.path})` }, compiler];
  } catch (error) {
    return [failed("k6", error), compiler];
  }
  const found =
    go === undefined
      ? "not installed; load tests need it"
      : "not installed; the first load test builds it with Go";
  const fix = go === undefined ? "Install k6 or Go, or set K6." : "Nothing, or install k6 to save the 90 s.";
  return [{ check: "k6", state: "warn", found, fix }, compiler];
}

/** For information: nothing needs an engine yet. */
async function checkDocker(path: string | undefined): Promise<Finding[]> {
  const docker = findProgram("docker", path);
  if (docker === undefined) return [{ check: "docker", state: "ok", found: "not installed; not needed" }];
  const args = ["version", "--format", "{{.Server.Version}}"];
  const context = Object.entries(process.env).filter(([name]) => name.startsWith("DOCKER_"));
  const env = {
    ...childEnvironment(process.env),
    ...(Object.fromEntries(context) as Record<string, string>),
  };
  const { code, stdout } = await runCommand(docker, args, { timeout: 5_000, env });
  const engine = code === 0 ? `engine ${stdout.trim()}` : "no engine answers";
  return [{ check: "docker", state: "ok", found: `${engine}; not needed` }];
}

function checkDotEnv(root: string): Finding[] {
  let names: string[];
  try {
    names = Object.keys(parseEnv(readFileSync(join(root, ".env"), "utf8")));
  } catch {
    return [
      {
        check: ".env",
        state: "ok",
        found: "none; every setting has its default or comes from the environment",
      },
    ];
  }
  const unknown = names.filter((name) => !(name in settingsSchema.shape));
  if (unknown.length === 0)
    return [{ check: ".env", state: "ok", found: `${names.length} settings, all valid` }];
  const found = `no such settings: ${unknown.join(", ")}`;
  return [{ check: ".env", state: "warn", found, fix: "Compare the names with .env.example." }];
}

function availableMemory(): number {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
  } catch {
    return freemem();
  }
}

function failed(check: string, error: unknown): Finding {
  const fix = error instanceof LabError ? error.remedy : undefined;
  return { check, state: "fail", found: messageOf(error), ...(fix !== undefined && { fix }) };
}
