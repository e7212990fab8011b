/** An engine of the suite's own as a child process, run as the lab runs it: to be killed and started again with its data. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import { type LabPaths, labPaths } from "../../lab/src/paths.ts";
import type { PartPlan } from "../../lab/src/runtimes/process/plan.ts";
import { answers } from "../../lab/src/runtimes/process/probe.ts";
import type { PrepareContext } from "../../lab/src/runtimes/process/process-runtime.ts";
import { freePort } from "../../lab/src/util/ports.ts";
import { checkoutSettings } from "./own-lab.ts";

export interface EngineServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Where it keeps its data. Gone with the server. */
  readonly data: string;
  readonly version: string;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** By SIGKILL: nothing is written down any more. */
  kill(): Promise<void>;
  /** By SIGSTOP: it holds its connections and answers nothing, until it goes on. */
  freeze(): void;
  thaw(): void;
}

type Prepare = (paths: LabPaths, port: number, context: PrepareContext) => Promise<PartPlan>;

/** @param options of the program, after the lab's */
export async function engineServer(prepare: Prepare, options: readonly string[] = []): Promise<EngineServer> {
  const data = await mkdtemp(join(tmpdir(), "parallax-engine-"));
  const port = await freePort();
  // Where the checkout keeps the program, should it not be installed.
  const paths = { ...labPaths(checkoutSettings().labDir), data };
  const context = { signal: AbortSignal.timeout(60_000), onEvent: () => {} };
  const { name, command, args, cwd, environment, probe, url, version } = await prepare(paths, port, context);
  let child: ChildProcess | undefined;
  const signal = (name: NodeJS.Signals) => void child?.kill(name);

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    signal("SIGKILL");
    await ended;
  }

  const server: EngineServer = {
    url,
    port,
    data,
    version,
    async start() {
      const begin = () => spawn(command, [...args, ...options], { cwd, env: environment, stdio: "ignore" });
      child = begin();
      const isUp = () => {
        // Who was killed is gone from the process table before its port is free: one that was begun at once may have ended.
        if (child?.exitCode != null) child = begin();
        return answers(probe, 1_000);
      };
      await waitFor(`${name} to answer`, isUp, 20_000);
    },
    kill,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(data, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}
