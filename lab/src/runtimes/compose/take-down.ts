/** Stopping: services first, so that they can finish what they have in hand, then engines; then everything is removed but data and logs. */
import type Docker from "dockerode";
import { LabError } from "../../cli/lab-error.ts";
import type { DownReport } from "../runtime.ts";
import { type LabContainer, listBelongings, listContainers } from "./containers.ts";
import { keepLog } from "./logs.ts";

const killedBySigkill = 137;

/**
 * Never fails because nothing runs.
 * @param logs directory that the containers' logs are kept in
 */
export async function takeDown(client: Docker, project: string, logs: string): Promise<DownReport> {
  const began = performance.now();
  const containers = await listContainers(client, project);
  const ran = containers.filter(({ inspected }) => inspected.State.Running || inspected.State.Restarting);
  const killed: string[] = [];
  for (const kind of ["service", "engine"] as const) {
    const those = ran.filter((container) => container.kind === kind);
    await Promise.all(those.map(async (container) => (await stop(container)) && killed.push(container.name)));
  }
  // A command that was interrupted may have made more since.
  for (const container of await listContainers(client, project)) {
    await keepLog(container, logs);
    await ignoring([404, 409], container.handle.remove({ force: true, v: true }));
  }
  const { networks } = await listBelongings(client, project);
  for (const network of networks) await ignoring([404], client.getNetwork(network).remove());
  await assertGone(client, project);
  return {
    was_running: ran.length > 0,
    killed,
    swept: containers.length - ran.length,
    seconds: Math.round((performance.now() - began) / 100) / 10,
  };
}

/** Within the grace period of its compose file. Resolves to whether it had to be killed after it. */
async function stop({ handle, inspected }: LabContainer): Promise<boolean> {
  if (inspected.State.Paused) await ignoring([404, 409, 500], handle.unpause());
  await ignoring([304, 404], handle.stop());
  const after = await handle.inspect().catch(() => undefined);
  return after?.State.ExitCode === killedBySigkill;
}

async function assertGone(client: Docker, project: string): Promise<void> {
  const left = await listContainers(client, project);
  if (left.length === 0) return;
  const names = left.map(({ inspected }) => inspected.Name.replace(/^\//, ""));
  throw new LabError("LEFTOVERS", `Containers cannot be removed: ${names.join(", ")}.`, {
    remedy: `Remove them by hand (docker rm --force ${names.join(" ")}), then run "make down" again.`,
  });
}

async function ignoring(statusCodes: readonly number[], work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!statusCodes.includes((error as { statusCode?: number }).statusCode ?? 0)) throw error;
  }
}
