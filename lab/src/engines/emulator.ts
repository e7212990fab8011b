/** The AWS emulator's part in the process runtime: fauxqs in a child process. It keeps everything in memory. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rootDir } from "../paths.ts";
import type { PartPlan } from "../runtimes/process/plan.ts";
import { readJsonFile } from "../util/files.ts";
import { childEnvironment } from "../util/run-command.ts";

export const awsRegion = "us-west-2";

/** How to run the emulator; nothing has to be prepared. */
export function planEmulator(port: number): PartPlan {
  const url = `http://127.0.0.1:${port}`;
  return {
    name: "emulator",
    kind: "engine",
    command: process.execPath,
    args: [fileURLToPath(new URL("./fauxqs-server.ts", import.meta.url)), String(port)],
    cwd: rootDir,
    environment: { ...childEnvironment(process.env), NODE_ENV: "production", AWS_REGION: awsRegion },
    port,
    portVariable: "EMULATOR_PORT",
    url,
    version: `fauxqs ${installedVersion()}`,
    probe: { type: "http", url: `${url}/health` },
    readyTimeout: 20_000,
    stopSignal: "SIGTERM",
    stopGrace: 5_000,
    dependsOn: [],
  };
}

function installedVersion(): string {
  const entry = createRequire(import.meta.url).resolve.paths("fauxqs") ?? [];
  for (const directory of entry) {
    const content = readJsonFile(join(directory, "fauxqs", "package.json")) as
      | { version?: string }
      | undefined;
    if (content?.version !== undefined) return content.version;
  }
  return "unknown";
}
