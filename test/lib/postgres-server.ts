/** A Postgres of the suite's own with an empty database, run with the lab's options: to be killed and started again with its data. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import { postgresUrl, preparePostgres } from "../../lab/src/engines/postgres.ts";
import { removeOutside } from "../../lab/src/engines/postgres-home.ts";
import { postgresPassword } from "../../lab/src/engines/secrets.ts";
import { labPaths } from "../../lab/src/paths.ts";
import { answers } from "../../lab/src/runtimes/process/probe.ts";
import { freePort } from "../../lab/src/util/ports.ts";

export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
  readonly version: string;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** By SIGINT: clients are disconnected, what is committed is kept. */
  stop(): Promise<void>;
}

export async function postgresServer(): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), "parallax-postgres-"));
  // As root, it runs as another user, who must be able to pass through.
  await chmod(directory, 0o711);
  const paths = labPaths(directory);
  const port = await freePort();
  const context = { signal: AbortSignal.timeout(60_000), onEvent: () => {} };
  const { command, args, cwd, environment, uid, gid, probe, version } = await preparePostgres(
    paths,
    port,
    context,
  );
  let child: ChildProcess | undefined;

  async function stop(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGINT");
    await ended;
  }

  const server: PostgresServer = {
    url: postgresUrl(port, postgresPassword(paths.secrets)),
    version: version ?? "unknown",
    async start() {
      const account = uid === undefined ? {} : { uid, gid };
      child = spawn(command, [...args], { cwd, env: environment, stdio: "ignore", ...account });
      await waitFor("Postgres to answer", () => answers(probe, 1000), 20_000);
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      removeOutside(paths);
      await rm(directory, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}
