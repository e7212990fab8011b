/**
 * What tests make on the Docker engine is labelled with the session that made it, so that it can be removed when the
 * session is gone, however it ended, and is left alone while the session lives, in whatever checkout.
 *
 * A session is the process that runs the tests: `lab test-integration`, or a test file that was started by itself. Its
 * id is `<host>/<pid>/<start mark>`. An engine may be shared by several machines: sessions of others are never judged.
 */
import { hostname } from "node:os";
import type Docker from "dockerode";
import { isSame, startMark } from "../util/processes.ts";

/** Its value is a session's id. */
export const testLabel = "parallax.test";
/** Names the session to the processes below it. */
export const sessionVariable = "PARALLAX_TEST_SESSION";

const REMOVE_MS = 30_000;

/** The id of the session that a process is. */
export function sessionOf(pid: number): string {
  return `${hostname()}/${pid}/${startMark(pid) ?? "gone"}`;
}

/** The session that this process belongs to. */
export function currentSession(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env[sessionVariable] ?? sessionOf(process.pid);
}

/** False only when it is certain: a session of this machine whose process has gone. */
export function mayBeAlive(session: string): boolean {
  const [host, pid, ...start] = session.split("/");
  if (host !== hostname()) return true;
  return isSame({ pid: Number(pid), start: start.join("/") });
}

export interface Swept {
  containers: number;
  networks: number;
  volumes: number;
}

/**
 * Removes what sessions that are gone have left, and what `ended` has made, a session that may still be alive but is
 * done. Bounded in time; what another sweep removes meanwhile counts for neither.
 */
export async function sweepTests(client: Docker, ended?: string): Promise<Swept> {
  const filters = { label: [testLabel] };
  const left = ({ Labels }: { Labels?: Record<string, string> | null | undefined }) => {
    const session = Labels?.[testLabel] ?? "";
    // Compose labels everything; without a value in a lab that is no test's.
    return session !== "" && (session === ended || !mayBeAlive(session));
  };
  const bound = () => ({ abortSignal: AbortSignal.timeout(REMOVE_MS) });

  const containers = (await client.listContainers({ all: true, filters, ...bound() })).filter(left);
  // With their anonymous volumes.
  const force = () => ({ force: true, v: true, ...bound() });
  const gone = await all(containers, ({ Id }) => client.getContainer(Id).remove(force()));

  const networks = (await client.listNetworks({ filters, ...bound() })).filter(left);
  const networksGone = await all(networks, ({ Id }) => client.getNetwork(Id).remove(bound()));

  const volumes = (await client.listVolumes({ filters, ...bound() })).Volumes.filter(left);
  const volumesGone = await all(volumes, ({ Name }) => client.getVolume(Name).remove(force()));
  return { containers: gone, networks: networksGone, volumes: volumesGone };
}

/** One after another: removing many at once keeps a small engine busy. Resolves to how many were removed here. */
async function all<T>(things: readonly T[], remove: (thing: T) => Promise<unknown>): Promise<number> {
  let removed = 0;
  for (const thing of things) {
    try {
      await remove(thing);
      removed += 1;
    } catch (error) {
      // 404: gone already. 409: somebody else is removing it.
      const { statusCode } = error as { statusCode?: number };
      if (statusCode !== 404 && statusCode !== 409) throw error;
    }
  }
  return removed;
}
