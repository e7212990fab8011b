/** A Redis of the suite's own as a child process, run with the lab's options: to be killed and started again with its data. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import { prepareRedis } from "../../lab/src/engines/redis.ts";
import { labPaths } from "../../lab/src/paths.ts";
import { freePort } from "../../lab/src/util/ports.ts";
import { checkoutSettings } from "./own-lab.ts";

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** By SIGKILL: nothing is written down any more. */
  kill(): Promise<void>;
  /** By SIGSTOP: it holds its connections and answers nothing, until it goes on. */
  freeze(): void;
  thaw(): void;
}

/** @param options of redis-server, beside the lab's, such as `["--appendfsync", "always"]` */
export async function redisServer(options: readonly string[] = []): Promise<RedisServer> {
  const data = await mkdtemp(join(tmpdir(), "parallax-redis-"));
  const port = await freePort();
  // Where the checkout keeps the program, should it not be installed.
  const paths = { ...labPaths(checkoutSettings().labDir), data };
  const context = { signal: AbortSignal.timeout(60_000), onEvent: () => {} };
  const plan = await prepareRedis(paths, port, context);
  let child: ChildProcess | undefined;
  const signal = (name: NodeJS.Signals) => void child?.kill(name);

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    signal("SIGKILL");
    await ended;
  }

  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const { command, args, cwd, environment } = plan;
      child = spawn(command, [...args, ...options], { cwd, env: environment, stdio: "ignore" });
      await waitFor("Redis to answer", () => answers(port), 20_000);
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

/** Whether it answers a ping, which it does not while it reads its data. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.end("PING\r\n");
    const [answer] = await once(socket, "data", { signal: AbortSignal.timeout(1000) });
    return String(answer).startsWith("+PONG");
  } finally {
    socket.destroy();
  }
}
