/** A lab of the test's own: free ports, its own directory, gone when the test ends. */

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { removeOutside } from "../../lab/src/engines/postgres-home.ts";
import { labPaths, rootDir } from "../../lab/src/paths.ts";
import { createRuntime } from "../../lab/src/runtimes/create-runtime.ts";
import type { Runtime } from "../../lab/src/runtimes/runtime.ts";
import {
  environmentWithDotEnv,
  portVariables,
  type Settings,
  settingsFromEnv,
} from "../../lab/src/settings.ts";
import { freePort } from "../../lab/src/util/ports.ts";

export interface OwnLab {
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly directory: string;
}

/** Up and healthy; `env` overrides settings. */
export async function ownLab(t: Test, env: Record<string, string> = {}): Promise<OwnLab> {
  const directory = await mkdtemp(join(tmpdir(), "parallax-lab-"));
  // As root, Postgres runs as another user, who must be able to pass through.
  await chmod(directory, 0o711);
  const ports = await Promise.all(
    portVariables.map(async (name) => [name, String(await freePort())] as const),
  );
  const settings = settingsFromEnv(
    { ...Object.fromEntries(ports), LAB_DIR: directory, LOG_LEVEL: "info", ...env },
    rootDir,
  );
  const runtime = createRuntime(settings, "process");
  t.teardown(async () => {
    await runtime.down();
    removeOutside(labPaths(directory));
    await rm(directory, { recursive: true, force: true });
  });
  await runtime.up({ profiles: ["orders"], signal: AbortSignal.timeout(180_000), onEvent: () => {} });
  return { runtime, settings, directory };
}

/** The settings of the lab that belongs to this checkout: where k6 is kept once it has been built. */
export function checkoutSettings(): Settings {
  return settingsFromEnv(environmentWithDotEnv(rootDir, process.env), rootDir);
}
