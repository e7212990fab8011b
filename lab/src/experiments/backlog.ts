/**
 * Work that runs leave in the lab. An earlier run's would be measured as this one's: it is done first. What this one leaves when it
 * comes to no end is told, with what becomes of it: hours of payments may be in the queue, and services with their own
 * configuration go on with them.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment, Left, Observed } from "./experiment.ts";
import type { PlannedRun } from "./plan-run.ts";
import { configureFinish, type SettleOptions, settle } from "./settle.ts";

/** What was just settled may still be counted. */
const GRACE_SECONDS = 3;
const COUNT_MS = 3000;

/** What was on its way when a run failed; undefined while nobody knows. */
export interface Backlog {
  left: Left | undefined;
}

/**
 * Resolves to whether nothing is on its way any more. Where the experiment says how work is done fast, what is left is done so; services
 * have the settings of the run again afterwards.
 */
export async function waitUntilEmpty(
  options: SettleOptions,
  plan: PlannedRun,
  observed: Pick<Observed, "drained">,
): Promise<boolean> {
  const { experiment, runtime, signal, onStage } = options;
  if (await observed.drained().catch(() => false)) return true;
  const finish = experiment.finish?.(plan.parameters);
  if (!finish) {
    onStage("waiting until what is left of earlier work is done");
    return settle(observed, experiment.settleSeconds, signal);
  }
  if (await settle(observed, GRACE_SECONDS, signal)) return true;
  onStage("what is left of earlier work is done fast, first");
  await configureFinish(options, plan, finish);
  const empty = await settle(observed, experiment.settleSeconds, signal);
  for (const service of Object.keys(finish.services)) {
    signal.throwIfAborted();
    await runtime.configure(service, { ...plan.services[service] });
  }
  return empty;
}

/** Does what is to be done; should that fail, what is on its way by then is counted before anything else happens. */
export async function noteLeft<T>(
  observed: Pick<Observed, "left">,
  backlog: Backlog,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const over = new AbortController();
    const bound = sleep(COUNT_MS, undefined, { signal: over.signal }).catch(() => undefined);
    const counted = observed.left?.().catch(() => undefined);
    // The error that is being told matters more than the number.
    backlog.left = await Promise.race([counted, bound]);
    over.abort();
    throw error;
  }
}

/** What becomes of it, and how to get rid of it, for people; undefined where nothing is known to be left. */
export function tellLeft(
  { left }: Backlog,
  { system, name, finish }: Pick<Experiment, "system" | "name" | "finish">,
): string | undefined {
  if (!left || left.count === 0) return undefined;
  const { count, what } = left;
  return [
    `${count.toLocaleString("en")} ${what} are still queued, and the lab goes on with them by its own settings: "make queue-depth" tells how many are left.`,
    finish ? `The next run of ${system}/${name} does them fast before it begins;` : "",
    `"make clean" drops them with all other data of the lab.`,
  ]
    .filter(Boolean)
    .join(" ");
}
