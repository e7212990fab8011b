/** A lab of the benchmark's own: free ports, its own directory and Compose project, gone when it is disposed of. */

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeOutside } from "../../lab/src/engines/postgres-home.ts";
import { labPaths, rootDir } from "../../lab/src/paths.ts";
import { createRuntime } from "../../lab/src/runtimes/create-runtime.ts";
import type { Runtime } from "../../lab/src/runtimes/runtime.ts";
import {
  environmentWithDotEnv,
  portVariables,
  type RuntimeName,
  type Settings,
  settingsFromEnv,
} from "../../lab/src/settings.ts";
import { freePort } from "../../lab/src/util/ports.ts";

export interface BenchLab extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly settings: Settings;
}

/** Up and healthy. */
export async function startLab(name: RuntimeName, signal: AbortSignal): Promise<BenchLab> {
  const directory = await mkdtemp(join(tmpdir(), "parallax-bench-"));
  // As root, Postgres runs as another user, who must be able to pass through.
  await chmod(directory, 0o711);
  const ports = await Promise.all(
    portVariables.map(async (each) => [each, String(await freePort())] as const),
  );
  const own = { LAB_DIR: directory, COMPOSE_PROJECT_NAME: `parallax-bench-${process.pid}` };
  const given = environmentWithDotEnv(rootDir, process.env);
  const settings = settingsFromEnv({ ...given, ...Object.fromEntries(ports), ...own }, rootDir);
  const runtime = createRuntime(settings, name);
  await runtime.up({ profiles: ["orders"], signal, onEvent: () => {} });
  return {
    runtime,
    settings,
    async [Symbol.asyncDispose]() {
      await runtime.down();
      await runtime.removeData();
      removeOutside(labPaths(directory));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
