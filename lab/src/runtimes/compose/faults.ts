/**
 * Faults on containers. Signals go to the container's main process; freezing is the engine's `pause`, which stops every
 * process of the container at once.
 *
 * To the engine a kill by its API is a stop that was asked for, after which it does not restart the container. A service
 * is therefore started again from here, as its restart policy would after any other death.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { LabContainer } from "./containers.ts";

/** From a death to the start after it, as by the engine's restart policy. */
const deathPoll = 50;
/** Longer than any grace period. */
const mostPatience = 60_000;
const deadly: readonly string[] = ["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT"];

/** Resolves when the signal is sent and, for a service that it kills at once, when that is started again. */
export async function sendSignal({ handle, kind }: LabContainer, signal: NodeJS.Signals): Promise<void> {
  if (signal === "SIGSTOP") return void (await handle.pause());
  if (signal === "SIGCONT") return void (await handle.unpause());
  await handle.kill({ signal });
  if (!deadly.includes(signal)) return;
  if (signal !== "SIGKILL") {
    // It takes its time; whoever sends the signal wants to see what happens meanwhile.
    if (kind === "service") void restart(handle).catch(() => {});
    return;
  }
  if (kind === "service") await restart(handle);
  else await ended(handle);
}

async function ended(handle: LabContainer["handle"]): Promise<void> {
  await handle.wait({ abortSignal: AbortSignal.timeout(mostPatience) });
}

async function restart(handle: LabContainer["handle"]): Promise<void> {
  await ended(handle);
  // The engine says that it has ended a moment before it can be started.
  for (let attempt = 0; ; attempt += 1) {
    try {
      await handle.start();
      return;
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      // 304: somebody else was faster; 404: the lab was taken down.
      if (statusCode === 304 || statusCode === 404) return;
      if (attempt === 20) throw error;
      await delay(deathPoll);
    }
  }
}
