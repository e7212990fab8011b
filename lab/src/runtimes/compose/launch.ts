/** Starting: images, variables, ports, `docker compose up`, and waiting until every part is healthy. */
import type { Engine } from "../../docker/engine.ts";
import { postgresPassword } from "../../engines/secrets.ts";
import type { BackingServer } from "../../images/catalogue.ts";
import { resolveImages } from "../../images/resolve-images.ts";
import type { LabPaths } from "../../paths.ts";
import type { Settings } from "../../settings.ts";
import { assertPortsFree } from "../../util/ports.ts";
import type { UpOptions } from "../runtime.ts";
import type { ComposeProject } from "./compose-project.ts";
import { listContainers } from "./containers.ts";
import { waitHealthy } from "./health.ts";
import type { ComposePart } from "./parts.ts";
import { readComposeState, removeComposeState, writeComposeState } from "./state.ts";
import { takeDown } from "./take-down.ts";
import { composeVariables, cpusOf, writeEnvironmentFile } from "./variables.ts";

export interface LaunchParts {
  readonly engine: Engine;
  readonly settings: Settings;
  readonly paths: LabPaths;
  readonly project: ComposeProject;
}

const healthyTimeout = 180_000;

/**
 * Also for a lab that runs: what is missing or has changed is made and started, the rest is left alone.
 * @throws LabError; what was not running before is removed again then
 */
export async function launch(
  { engine, settings, paths, project }: LaunchParts,
  { profiles, signal, onEvent }: UpOptions,
): Promise<void> {
  const { client } = engine;
  const before = await listContainers(client, settings.composeProject);
  const ranBefore = before.filter(({ inspected }) => inspected.State.Running).map(({ name }) => name);
  const { variables, images } = await resolveImages({
    engine,
    settings,
    servers: serversFor(settings),
    systems: profiles,
    signal,
    onEvent,
  });
  const cpus = cpusOf((await client.info()) as { NCPU?: number });
  const filledIn = { images: variables, postgresPassword: postgresPassword(paths.secrets), cpus };
  writeEnvironmentFile(paths.composeEnvironment, composeVariables(settings, filledIn));
  const parts = await project.parts(profiles);
  await assertPortsFree(
    parts
      .filter(({ name }) => !ranBefore.includes(name))
      .map(({ name, port, portVariable }) => ({ part: name, port, variable: portVariable })),
  );
  const since = readComposeState(paths)?.since;
  try {
    await bringUp(parts, ranBefore);
  } catch (error) {
    // A lab that ran before is its owner's to look at; one that never ran is of no use to anybody.
    if (ranBefore.length === 0) {
      await takeDown(client, settings.composeProject, paths.logs);
      removeComposeState(paths);
    }
    throw error;
  }
  writeComposeState(paths, {
    project: settings.composeProject,
    profiles: [...profiles],
    since: (ranBefore.length > 0 ? since : undefined) ?? new Date().toISOString(),
    parts: parts.map(({ name, kind, port, url }) => ({ name, kind, port, url })),
    images: Object.fromEntries(
      parts.map(({ name, image }) => [
        name,
        Object.values(images).find(({ reference }) => reference === image) ?? {
          reference: image,
          id: "",
          digest: null,
        },
      ]),
    ),
  });

  async function bringUp(all: readonly ComposePart[], known: readonly string[]): Promise<void> {
    const began = performance.now();
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const healthy = waitHealthy({
      client,
      project: settings.composeProject,
      parts: all.map(({ name }) => name),
      signal: both,
      timeout: healthyTimeout,
      onHealthy({ name, inspected }) {
        if (known.includes(name) && !startedSince(inspected.State.StartedAt, began)) return;
        const seconds = ((performance.now() - began) / 1_000).toFixed(1);
        const url = all.find((part) => part.name === name)?.url;
        onEvent({ kind: "done", text: `${name} answers at ${url} (${seconds} s)`, part: name });
      },
    });
    const composed = project.up(profiles, [], both);
    try {
      // Whichever fails first says most about why.
      await Promise.all([composed, healthy]);
    } catch (error) {
      over.abort(error);
      await Promise.allSettled([composed, healthy]);
      signal.throwIfAborted();
      throw error;
    }
  }
}

/** What the compose files of today's systems run; NATS belongs to a system that is still to come. */
function serversFor({ emulator }: Settings): BackingServer[] {
  return ["postgres", "redis", emulator];
}

function startedSince(iso: string, began: number): boolean {
  return Date.parse(iso) >= performance.timeOrigin + began - 1_000;
}
