/** Waiting until a system has nothing on its way any more. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Observed } from "./experiment.ts";

/** SQS counts are approximate: an empty queue is believed when it is seen so often in a row. */
const EMPTY_SIGHTINGS = 3;
const POLL_MS = 300;

/** Resolves to whether everything had drained before the time was over. */
export async function settle(
  observed: Pick<Observed, "drained">,
  seconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  const until = performance.now() + seconds * 1000;
  for (let sightings = 0; performance.now() < until; ) {
    signal.throwIfAborted();
    sightings = (await observed.drained().catch(() => false)) ? sightings + 1 : 0;
    if (sightings === EMPTY_SIGHTINGS) return true;
    await sleep(POLL_MS, undefined, { signal });
  }
  return false;
}
