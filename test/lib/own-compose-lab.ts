/** A lab in containers of the test's own: a project, ports and a directory for itself, all gone when the test ends. */

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import type { Test } from "tap";
import { currentSession, sessionVariable } from "../../lab/src/docker/test-resources.ts";
import { rootDir } from "../../lab/src/paths.ts";
import { ComposeRuntime } from "../../lab/src/runtimes/compose/compose-runtime.ts";
import { ofProject } from "../../lab/src/runtimes/compose/containers.ts";
import type { LabEvent } from "../../lab/src/runtimes/runtime.ts";
import {
  environmentWithDotEnv,
  portVariables,
  type Settings,
  settingsFromEnv,
} from "../../lab/src/settings.ts";
import { freePort } from "../../lab/src/util/ports.ts";

export interface OwnComposeLab {
  readonly runtime: ComposeRuntime;
  readonly settings: Settings;
  /** Variables that make the lab's command line mean this lab. */
  readonly environment: Readonly<Record<string, string>>;
  up(signal?: AbortSignal): Promise<LabEvent[]>;
}

/** Not started yet: orders, unless PROFILE in `env` says otherwise. `env` overrides settings. */
export async function ownComposeLab(t: Test, env: Record<string, string> = {}): Promise<OwnComposeLab> {
  // What the lab starts is labelled with the session that the tests belong to.
  process.env[sessionVariable] = currentSession();
  const directory = await mkdtemp(join(tmpdir(), "parallax-compose-"));
  const ports = await Promise.all(
    portVariables.map(async (name) => [name, String(await freePort())] as const),
  );
  const environment = {
    ...Object.fromEntries(ports),
    LAB_DIR: directory,
    COMPOSE_PROJECT_NAME: `parallax-test-${randomUUID().slice(0, 8)}`,
    RUNTIME: "compose",
    PROFILE: "orders",
    ...env,
  };
  const settings = settingsFromEnv(
    { ...environmentWithDotEnv(rootDir, process.env), ...environment },
    rootDir,
  );
  const runtime = new ComposeRuntime(settings);
  t.teardown(async () => {
    await runtime.down();
    await runtime.removeData();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    runtime,
    settings,
    environment,
    async up(signal = AbortSignal.timeout(120_000)) {
      const events: LabEvent[] = [];
      await runtime.up({ profiles: settings.profiles, signal, onEvent: (event) => events.push(event) });
      return events;
    },
  };
}

/** Names of the networks and volumes that a project has. */
export async function listBelongings(client: Docker, project: string) {
  const filters = ofProject(project);
  const [networks, { Volumes: volumes }] = await Promise.all([
    client.listNetworks({ filters }),
    client.listVolumes({ filters }),
  ]);
  return { networks: networks.map(({ Name }) => Name), volumes: volumes.map(({ Name }) => Name) };
}
