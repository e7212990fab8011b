/** A service as a process of the test's own, beside those of the lab's runtime: to be frozen, ended and asked how it ended. */

import { spawn } from "node:child_process";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import type { PartPlan } from "../../../lab/src/runtimes/process/plan.ts";
import { freePort } from "../../../lab/src/util/ports.ts";

export interface OwnProcess {
  readonly url: string;
  signal(signal: NodeJS.Signals): void;
  /** How it ended, once it has. */
  readonly ended: Promise<{ readonly code: number | null; readonly seconds: number }>;
  /** All that it has logged so far. */
  logged(): string;
}

/** Ready to work, killed when `t` ends at the latest. */
export async function startService(
  t: Test,
  plan: PartPlan,
  environment: Record<string, string> = {},
): Promise<OwnProcess> {
  const port = await freePort();
  const child = spawn(plan.command, plan.args, {
    cwd: plan.cwd,
    env: { ...plan.environment, ...environment, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  let asked = performance.now();
  const ended = new Promise<{ code: number | null; seconds: number }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, seconds: (performance.now() - asked) / 1000 }));
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  t.teardown(async () => {
    kill();
    await ended;
    process.off("exit", kill);
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(
    `${plan.name} to be ready`,
    async () => {
      if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}:\n${log}`);
      return (await fetch(`${url}/health/ready`)).ok;
    },
    30_000,
  );
  return {
    url,
    signal(signal) {
      asked = performance.now();
      child.kill(signal);
    },
    ended,
    logged: () => log,
  };
}
