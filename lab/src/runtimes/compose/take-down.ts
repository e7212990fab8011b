/**
 * Stopping: services first, so that they can finish what they have in hand, then engines; then everything is removed but
 * data and logs. What cannot be stopped is removed all the same; what cannot be removed is named.
 */
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { LabError } from "../../cli/lab-error.ts";
import type { DownReport } from "../runtime.ts";
import { type LabContainer, listContainers, ofProject } from "./containers.ts";
import { keepLog } from "./logs.ts";

export interface TakeDownOptions {
  /** Directory that the containers' logs are kept in. */
  readonly logs: string;
  /**
   * A start was interrupted: what its last request has asked for, the engine may still be about to make. Looks until
   * nothing more comes.
   */
  readonly interrupted: boolean;
}

const killedBySigkill = 137;
const quietLooks = 4;
const lookInterval = 250;
const mostLooks = 60;

/**
 * Never fails because nothing runs.
 * @throws LabError LEFTOVERS that names what could not be removed
 */
export async function takeDown(
  client: Docker,
  project: string,
  { logs, interrupted }: TakeDownOptions,
): Promise<DownReport> {
  const began = performance.now();
  const containers = await listContainers(client, project);
  const ran = containers.filter(({ inspected }) => inspected.State.Running || inspected.State.Restarting);
  const killed: string[] = [];
  for (const kind of ["service", "engine"] as const) {
    const those = ran.filter((container) => container.kind === kind);
    await Promise.all(those.map(async (container) => (await stop(container)) && killed.push(container.name)));
  }
  let quiet = 0;
  for (let look = 0; look < mostLooks && quiet < (interrupted ? quietLooks : 1); look += 1) {
    if (quiet > 0) await delay(lookInterval);
    const present = await listContainers(client, project);
    await removeContainers(present, logs);
    quiet = present.length === 0 || !interrupted ? quiet + 1 : 1;
  }
  const left = [
    ...(await listContainers(client, project)).map(({ inspected }) => inspected.Name.replace(/^\//, "")),
    ...(await removeNetworks(client, project)),
  ];
  if (left.length > 0) {
    throw new LabError("LEFTOVERS", `Not everything can be removed: ${left.join(", ")}.`, {
      reason: "The engine refuses to remove it.",
      remedy: 'Look at it with "docker inspect", remove it by hand, then run "make down" again.',
    });
  }
  return {
    was_running: ran.length > 0,
    killed,
    swept: containers.length - ran.length,
    seconds: Math.round((performance.now() - began) / 100) / 10,
  };
}

/** By force; their logs stay. Those that the engine does not let go of are left. */
export async function removeContainers(containers: readonly LabContainer[], logs: string): Promise<void> {
  for (const container of containers) {
    await keepLog(container, logs);
    await unlessRefused(container.handle.remove({ force: true, v: true }));
  }
}

/** Within the grace period of its compose file. Resolves to whether it had to be killed after it. */
async function stop({ handle, inspected }: LabContainer): Promise<boolean> {
  if (inspected.State.Paused) await unlessRefused(handle.unpause());
  await unlessRefused(handle.stop());
  const after = await handle.inspect().catch(() => undefined);
  return after?.State.ExitCode === killedBySigkill;
}

/** Resolves to the names of those that are left. Containers of others in them are put out. */
async function removeNetworks(client: Docker, project: string): Promise<string[]> {
  const filters = ofProject(project);
  for (const { Id } of await client.listNetworks({ filters })) {
    const network = client.getNetwork(Id);
    const { Containers } = (await network.inspect().catch(() => ({}))) as {
      Containers?: Record<string, unknown>;
    };
    for (const Container of Object.keys(Containers ?? {})) {
      await unlessRefused(network.disconnect({ Container, Force: true }));
    }
    await unlessRefused(network.remove());
  }
  return (await client.listNetworks({ filters })).map(({ Name }) => Name);
}

/** What the engine answers to a request is seen afterwards, by what is still there; that it is silent is an error. */
async function unlessRefused(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === undefined) throw error;
  }
}
