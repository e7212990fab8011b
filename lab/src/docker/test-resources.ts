/**
 * What tests make on the Docker engine is labelled with the session that made it, so that it can be removed when the
 * session is gone, however it ended, and is left alone while the session lives, in whatever checkout.
 *
 * A session is the process that runs the tests: `lab test-integration`, or a test file that was started by itself. Its
 * id is `<host>/<pid space>/<pid>/<start mark>`. An engine may be shared by several machines, and by containers in which
 * the lab is worked on, which may all have the same name: only sessions whose pids mean the same as here are judged.
 * Those from before a restart of the machine are not, since nothing tells them from another machine's for certain.
 */
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { isSame, pidSpace, startMark } from "../util/processes.ts";

/** Its value is a session's id. */
export const testLabel = "parallax.test";
/** Names the session to the processes below it. */
export const sessionVariable = "PARALLAX_TEST_SESSION";

const CALL_MS = 30_000;
const SWEEP_MS = 30_000;

/** The id of the session that a process is. */
export function sessionOf(pid: number): string {
  return [...here(), pid, startMark(pid) ?? "gone"].join("/");
}

/** The session that this process belongs to. */
export function currentSession(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env[sessionVariable] ?? sessionOf(process.pid);
}

/** False only when it is certain: a session from here whose process has gone. */
export function mayBeAlive(session: string): boolean {
  const [host, space, pid, ...start] = session.split("/");
  const [ownHost, ownSpace] = here();
  if (host !== ownHost || space !== ownSpace || space === "linux") return true;
  return isSame({ pid: Number(pid), start: start.join("/") });
}

/** On macOS and Windows the host's name has to do, their engines are their own; a Linux that does not tell is no place. */
function here(): [host: string, pidSpace: string] {
  return [hostname(), pidSpace() ?? process.platform];
}

export interface Swept {
  containers: number;
  networks: number;
  volumes: number;
}

/**
 * Removes what sessions that are gone have left, and what `ended` has made, a session that may still be alive but is
 * done. Bounded in time; several sweeps may run at once, and each ends when nothing is left.
 */
export async function sweepTests(client: Docker, ended?: string): Promise<Swept> {
  const swept: Swept = { containers: 0, networks: 0, volumes: 0 };
  const until = performance.now() + SWEEP_MS;
  for (;;) {
    const busy = await sweepOnce(client, swept, ended);
    if (busy === undefined) return swept;
    if (performance.now() > until) throw busy;
    await sleep(200);
  }
}

/** Adds what was removed to `swept`. Resolves to an error when something is still being removed by somebody else. */
async function sweepOnce(
  client: Docker,
  swept: Swept,
  ended: string | undefined,
): Promise<Error | undefined> {
  const filters = { label: [testLabel] };
  const left = ({ Labels }: { Labels?: Record<string, string> | null | undefined }) => {
    const session = Labels?.[testLabel] ?? "";
    // Compose labels everything; without a value in a lab that is no test's.
    return session !== "" && (session === ended || !mayBeAlive(session));
  };
  const bound = () => ({ abortSignal: AbortSignal.timeout(CALL_MS) });
  // With their anonymous volumes.
  const force = () => ({ force: true, v: true, ...bound() });
  let busy: Error | undefined;
  const remove = async (kind: keyof Swept, removal: Promise<unknown>) => {
    try {
      await removal;
      swept[kind] += 1;
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      // 404: gone already. 409: it is being removed, or its user is; 403: a network in which somebody still is.
      if (statusCode === 409 || statusCode === 403) busy = error as Error;
      else if (statusCode !== 404) throw error;
    }
  };

  // One after another: removing many at once keeps a small engine busy.
  const containers = await client.listContainers({ all: true, filters, ...bound() });
  for (const { Id } of containers.filter(left))
    await remove("containers", client.getContainer(Id).remove(force()));
  const networks = await client.listNetworks({ filters, ...bound() });
  for (const { Id } of networks.filter(left)) await remove("networks", client.getNetwork(Id).remove(bound()));
  const { Volumes } = await client.listVolumes({ filters, ...bound() });
  for (const { Name } of Volumes.filter(left))
    await remove("volumes", client.getVolume(Name).remove(force()));
  return busy;
}
