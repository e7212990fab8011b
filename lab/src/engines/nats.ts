/**
 * The NATS engine: `nats-server` from PATH, else from Debian's packages unpacked under LAB_DIR, else built by Go. JetStream
 * keeps its streams in files under LAB_DIR/data/nats, bounded as in containers (compose/bidding.yaml). What it has acknowledged
 * is with the operating system: a kill of the server loses nothing, a loss of the machine's power may take what
 * was not yet forced to disk, up to two minutes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import type { LabPaths } from "../paths.ts";
import type { PartPlan } from "../runtimes/process/plan.ts";
import type { PrepareContext } from "../runtimes/process/process-runtime.ts";
import { childEnvironment, findProgram, isExecutable, runCommand } from "../util/run-command.ts";
import { type AptPackage, downloadPackage, hasApt, unpackedProgram } from "./apt-package.ts";
import { type GoProgram, goBuilt, goInstall } from "./go-install.ts";

export interface NatsProgram {
  program: string;
  version: string;
}

const remedy = "Install nats-server with your package manager (brew install nats-server), or Go to build it.";

const debian: AptPackage = {
  title: "NATS",
  package: "nats-server",
  beside: [],
  program: "usr/sbin/nats-server",
  remedy,
};

const fromGo: GoProgram = {
  title: "nats-server",
  module: "github.com/nats-io/nats-server/v2@v2.10.29",
  made: "nats-server",
  kept: "nats-server",
  takes: "about 20 s",
  timeout: 300_000,
  remedy: "install nats-server with your package manager",
};

/** The stream of bidding takes up to 256 MiB of it. */
const limits = { max_memory_store: "64MiB", max_file_store: "512MiB" };

/**
 * A server that is there and runs, or undefined. Downloads and builds nothing.
 * @param path the PATH to look in
 */
export async function findNats(paths: LabPaths, path = process.env.PATH): Promise<NatsProgram | undefined> {
  const places = [
    findProgram("nats-server", path),
    unpackedProgram(debian, unpackedIn(paths))?.program,
    goBuilt(fromGo, paths.labDir),
  ];
  for (const program of places) {
    const found = program && (await runnable(program));
    if (found) return found;
  }
  return undefined;
}

/**
 * A server that is there and runs, or else one that is downloaded or built now.
 * @throws LabError PREREQUISITE_MISSING when there is none and none can be had, COMMAND_FAILED when it cannot be built
 */
export async function findOrGetNats(paths: LabPaths, context: PrepareContext): Promise<NatsProgram> {
  return (await findNats(paths)) ?? (await get(paths, context));
}

/**
 * Finds or gets the server and says how to run it.
 * @throws LabError as `findOrGetNats`
 */
export async function prepareNats(paths: LabPaths, port: number, context: PrepareContext): Promise<PartPlan> {
  const nats = await findOrGetNats(paths, context);
  const data = join(paths.data, "nats");
  mkdirSync(data, { recursive: true, mode: 0o700 });
  // The store's bounds can be said in a file only.
  const configuration = join(data, "nats.conf");
  writeFileSync(configuration, configurationOf(data), { mode: 0o600 });
  return {
    name: "nats",
    kind: "engine",
    command: nats.program,
    args: ["--config", configuration, "--addr", "127.0.0.1", "--port", String(port)],
    cwd: data,
    environment: childEnvironment(process.env),
    port,
    portVariable: "NATS_PORT",
    url: `nats://127.0.0.1:${port}`,
    version: nats.version,
    probe: { type: "nats", port },
    readyTimeout: 30_000,
    stopSignal: "SIGTERM",
    stopGrace: 10_000,
    dependsOn: [],
  };
}

/** In NATS' own notation, which quotes strings as JSON does. */
function configurationOf(directory: string): string {
  return `jetstream {
  store_dir: ${JSON.stringify(directory)}
  max_memory_store: ${limits.max_memory_store}
  max_file_store: ${limits.max_file_store}
}
`;
}

async function get(paths: LabPaths, context: PrepareContext): Promise<NatsProgram> {
  const go = findProgram("go", process.env.PATH);
  if (hasApt(process.env.PATH)) {
    try {
      return await download(paths, context);
    } catch (error) {
      context.signal.throwIfAborted();
      // Go's module proxy may be there where Debian's mirrors are not.
      if (go === undefined) throw error;
    }
  }
  if (go === undefined) {
    throw new LabError("PREREQUISITE_MISSING", "NATS is not installed.", {
      reason: "There is no nats-server on PATH, no apt to download one with and no Go to build one with.",
      remedy,
    });
  }
  const runs = async (path: string) => (await runnable(path)) !== undefined;
  const program = await goInstall(go, fromGo, runs, { labDir: paths.labDir, ...context });
  return (await runnable(program)) ?? { program, version: "unknown" };
}

async function download(paths: LabPaths, context: PrepareContext): Promise<NatsProgram> {
  const text = "Downloading NATS into the lab's own directory (once, about 10 s)";
  context.onEvent({ kind: "begin", text, part: "nats" });
  const { program } = await downloadPackage(debian, unpackedIn(paths), context);
  const found = await runnable(program);
  if (found !== undefined) return found;
  throw new LabError("PREREQUISITE_MISSING", "The downloaded NATS does not run here.", { remedy });
}

function unpackedIn(paths: LabPaths): string {
  return join(paths.engines, "nats");
}

async function runnable(program: string): Promise<NatsProgram | undefined> {
  if (!isExecutable(program)) return undefined;
  const { code, stdout } = await runCommand(program, ["--version"], { timeout: 10_000 });
  const version = /^nats-server: v(\S+)/.exec(stdout)?.[1];
  return code === 0 && version !== undefined ? { program, version } : undefined;
}
