/** Every experiment that exists, and how one is asked for. */

import { LabError } from "../cli/lab-error.ts";
import { atomicity } from "./bidding/atomicity.ts";
import { contention } from "./bidding/contention.ts";
import { fanOut } from "./bidding/fan-out.ts";
import { smoke as biddingSmoke } from "./bidding/smoke.ts";
import { type EnvironmentName, environments } from "./environments.ts";
import type { Experiment } from "./experiment.ts";
import { brokers } from "./orders/brokers.ts";
import { coordinatedOmission } from "./orders/coordinated-omission.ts";
import { lambdaVsWorkers } from "./orders/lambda-vs-workers.ts";
import { latency } from "./orders/latency.ts";
import { rateSweep } from "./orders/rate-sweep.ts";
import { smoke } from "./orders/smoke.ts";
import { syncVsAsync } from "./orders/sync-vs-async.ts";
import { workerScaling } from "./orders/worker-scaling.ts";

export const experiments: readonly Experiment[] = [
  smoke,
  rateSweep,
  coordinatedOmission,
  syncVsAsync,
  workerScaling,
  latency,
  lambdaVsWorkers,
  brokers,
  biddingSmoke,
  contention,
  fanOut,
  atomicity,
];

export interface Choice {
  readonly system?: string | undefined;
  readonly experiment?: string | undefined;
}

/**
 * The experiments that are meant: without a system, each system's smoke test; without an experiment, the
 * system's.
 * @throws LabError USAGE with the list of what exists
 */
export function choose(choice: Choice): readonly Experiment[] {
  const systems = [...new Set(experiments.map(({ system }) => system))];
  if (choice.system !== undefined && !systems.includes(choice.system)) {
    throw unknown("system", choice.system, systems);
  }
  const candidates = experiments.filter(
    ({ system }) => choice.system === undefined || system === choice.system,
  );
  const name = choice.experiment ?? "smoke";
  const chosen = candidates.filter((experiment) => experiment.name === name);
  if (chosen.length === 0) throw unknownExperiment(name, choice.system, candidates);
  return chosen;
}

/** @throws LabError USAGE with the list of what exists */
export function chooseEnvironment(name = "local"): EnvironmentName {
  const known = environments.find((each) => each === name);
  if (!known) throw unknown("environment", name, environments);
  return known;
}

function unknown(what: string, given: string, known: readonly string[]): LabError {
  return new LabError("USAGE", `There is no ${what} ${JSON.stringify(given)}.`, {
    remedy: `Take one of: ${known.join(", ")}.`,
  });
}

function unknownExperiment(
  name: string,
  system: string | undefined,
  candidates: readonly Experiment[],
): LabError {
  const known = candidates.map((experiment) => `${experiment.system}/${experiment.name}`);
  const owner = experiments.find((experiment) => experiment.name === name)?.system;
  // Without a system every one is looked through.
  if (system === undefined || owner === undefined) return unknown("experiment", name, known);
  return new LabError("USAGE", `There is no experiment ${JSON.stringify(name)} of ${system}.`, {
    reason: `It is one of ${owner}.`,
    remedy: `Run it with SYSTEM=${owner}, or take one of: ${known.join(", ")}.`,
  });
}
