/** A lab of the test's own: free ports, its own directory, gone when the test ends. */

import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { removeOutside } from "../../lab/src/engines/postgres-home.ts";
import { labPaths, rootDir } from "../../lab/src/paths.ts";
import { embeddedSource } from "../../lab/src/runtimes/process/embedded-source.ts";
import type { PartPlan } from "../../lab/src/runtimes/process/plan.ts";
import { ProcessRuntime } from "../../lab/src/runtimes/process/process-runtime.ts";
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

/** How a part is run in place of how the lab would run it. */
export type Rewire = (part: PartPlan) => PartPlan;

/**
 * Up and healthy: orders, unless PROFILE in `env` says otherwise. `env` overrides settings.
 * @param rewiring made of the settings before anything runs
 */
export async function ownLab(
  t: Test,
  env: Record<string, string> = {},
  rewiring: (settings: Settings) => Promise<Rewire> = async () => (part) => part,
): Promise<OwnLab> {
  const directory = await mkdtemp(join(tmpdir(), "parallax-lab-"));
  // As root, Postgres runs as another user, who must be able to pass through.
  await chmod(directory, 0o711);
  const ports = await Promise.all(
    portVariables.map(async (name) => [name, String(await freePort())] as const),
  );
  const settings = settingsFromEnv(
    { ...Object.fromEntries(ports), PROFILE: "orders", LAB_DIR: directory, LOG_LEVEL: "info", ...env },
    rootDir,
  );
  await lendEngines(directory);
  const rewire = await rewiring(settings);
  const source = embeddedSource(settings);
  const runtime = new ProcessRuntime({
    labDir: directory,
    source: {
      ...source,
      async prepare(profiles, context) {
        const plan = await source.prepare(profiles, context);
        return { ...plan, parts: plan.parts.map(rewire) };
      },
    },
  });
  t.teardown(async () => {
    await runtime.down();
    removeOutside(labPaths(directory));
    await rm(directory, { recursive: true, force: true });
  });
  await runtime.up({
    profiles: settings.profiles,
    signal: AbortSignal.timeout(180_000),
    onEvent: () => {},
  });
  return { runtime, settings, directory };
}

/** What the checkout's lab has downloaded or built: each lab of a test would fetch its own. */
async function lendEngines(directory: string): Promise<void> {
  const from = labPaths(checkoutSettings().labDir).engines;
  const { engines } = labPaths(directory);
  await mkdir(engines, { recursive: true });
  for (const name of ["redis", "nats", "nats-server"]) {
    if (existsSync(join(from, name))) await symlink(join(from, name), join(engines, name));
  }
}

/** The settings of the lab that belongs to this checkout: where k6 is kept once it has been built. */
export function checkoutSettings(): Settings {
  return settingsFromEnv(environmentWithDotEnv(rootDir, process.env), rootDir);
}
