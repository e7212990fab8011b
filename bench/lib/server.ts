/** A server in a process of its own, which prints its URL as its first line. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** @param script relative to bench/ */
export async function startServer(script: string, args: readonly string[] = []): Promise<ServerProcess> {
  const file = fileURLToPath(new URL(`../${script}`, import.meta.url));
  // What it logs is read and thrown away, as a log collector would read it.
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  const lines = createInterface({ input: child.stdout });
  const [url] = (await once(lines, "line", { signal: AbortSignal.timeout(10_000) })) as [string];
  lines.on("line", () => {});
  return {
    url,
    pid: child.pid ?? Number.NaN,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
