/** Waiting until a system has nothing on its way any more. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Experiment, Finish, FinishedLoad, Observed } from "./experiment.ts";
import { mergeServices } from "./parameters.ts";
import type { PlannedRun } from "./plan-run.ts";
import type { Sampler } from "./sampler.ts";

/** SQS counts are approximate: an empty queue is believed when it is seen so often in a row. */
const EMPTY_SIGHTINGS = 3;
const POLL_MS = 300;
/** For a part that was frozen to find its connections again. */
const THAWING_MS = 20_000;

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

/** Waits until the system can be asked again, drained or not, for some seconds at most: what does not answer by then fails the verdict. */
export async function untilAnswering(
  observed: Pick<Observed, "drained">,
  signal: AbortSignal,
): Promise<void> {
  const answers = () =>
    observed.drained().then(
      () => true,
      () => false,
    );
  for (const until = performance.now() + THAWING_MS; performance.now() < until; ) {
    signal.throwIfAborted();
    if (await answers()) return;
    await sleep(POLL_MS, undefined, { signal });
  }
}

export interface SettleOptions {
  readonly experiment: Experiment;
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  onStage(text: string): void;
}

/**
 * What follows the load. Where the experiment bounds what is measured of it and the system has not settled by then, services get the
 * settings that let it finish fast; they stay with these until the run is over.
 */
export async function settleStages(
  { experiment, runtime, signal, onStage }: SettleOptions,
  plan: PlannedRun,
  observed: Observed,
  sampler: Pick<Sampler, "stage">,
): Promise<Pick<FinishedLoad, "drained" | "drainedInTime" | "measuredUntil">> {
  const { settleSeconds } = experiment;
  const finish = experiment.finish?.(plan.parameters);
  sampler.stage = "settle";
  const seconds = finish?.measuredSeconds ?? settleSeconds;
  onStage(
    finish
      ? `settling: watched for up to ${seconds.toFixed(0)} s`
      : "settling: waiting until nothing is on its way",
  );
  const drainedInTime = await settle(observed, seconds, signal);
  const measuredUntil = Date.now();
  if (drainedInTime || !finish) return { drained: drainedInTime, drainedInTime, measuredUntil };
  sampler.stage = "finish";
  onStage("finishing: what is left is done fast, and not measured");
  await configureFinish({ runtime, signal }, plan, finish);
  const drained = await settle(observed, settleSeconds, signal);
  return { drained, drainedInTime, measuredUntil };
}

/** Gives services what lets them finish fast, over what the run has given them. */
export async function configureFinish(
  { runtime, signal }: Pick<SettleOptions, "runtime" | "signal">,
  plan: Pick<PlannedRun, "services">,
  finish: Finish,
): Promise<void> {
  const services = mergeServices(plan.services, finish.services);
  for (const service of Object.keys(finish.services)) {
    signal.throwIfAborted();
    await runtime.configure(service, { ...services[service] });
  }
}
