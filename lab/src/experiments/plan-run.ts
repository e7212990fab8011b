/** An experiment with every number filled in, and refused if no machine could run it. */

import { totalmem } from "node:os";
import { LabError } from "../cli/lab-error.ts";
import { DEFAULT_PRIMARY_METRIC } from "../compare/metrics.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { mostOpenFiles } from "../util/open-files.ts";
import { refuseDerived } from "./derived-variables.ts";
import type { Experiment, Fault, ParameterValues, ServiceSettings } from "./experiment.ts";
import { describeStep, type ScheduledStep, schedule } from "./load-schedule.ts";
import { asItIs, resolveParameters, resolveServices, type Variant } from "./parameters.ts";

export interface PlannedRun {
  readonly parameters: ParameterValues;
  readonly services: ServiceSettings;
  readonly steps: readonly ScheduledStep[];
  /** Those of the experiment itself, and those that a person adds. */
  readonly faults: readonly Fault[];
  /** What a comparison of such runs is decided by. */
  readonly primaryMetric: string;
}

/** As far as k6 goes on two processors; beyond it a run says nothing but that. */
const MOST_ARRIVALS_PER_SECOND = 20_000;
/** Of a process, beside its users' connections. */
const OTHER_FILES = 100;
/** A user of k6 takes about a quarter of a megabyte. */
const USER_MB = 0.25;
/** Of the machine's memory, for k6. */
const MOST_MEMORY_SHARE = 0.5;

/**
 * @param lacking parts that the experiment has nothing to give to; what the variant gives them stays
 * @throws LabError USAGE for a parameter that there is not, a variable that follows from one, and a load that would take the machine down
 */
export function planRun(
  experiment: Experiment,
  variant: Variant = asItIs,
  faults: readonly Fault[] = [],
  lacking: readonly string[] = [],
): PlannedRun {
  const parameters = resolveParameters(experiment, variant.parameters);
  const steps = schedule(experiment.load(parameters));
  for (const step of steps) assertPossible(step);
  refuseDerived(experiment, parameters, variant.services);
  const services = resolveServices(experiment, variant, parameters, lacking);
  for (const service of Object.keys(experiment.finish?.(parameters).services ?? {})) {
    // Only those get their own configuration back after the run.
    if (!Object.hasOwn(services, service)) throw new Error(`${service} is configured only for the finish`);
  }
  return {
    parameters,
    services,
    steps,
    faults: [...(experiment.faults?.(parameters) ?? []), ...faults],
    primaryMetric: experiment.primaryMetric?.(parameters) ?? DEFAULT_PRIMARY_METRIC,
  };
}

/** As `planRun`, for the lab that it is run on. */
export async function planRunOn(
  runtime: Runtime,
  experiment: Experiment,
  { variant, faults }: { readonly variant?: Variant; readonly faults?: readonly Fault[] } = {},
): Promise<PlannedRun> {
  return planRun(experiment, variant, faults, await experiment.partsLacking?.(runtime));
}

function assertPossible(step: ScheduledStep): void {
  const { arrivals } = step;
  if (arrivals.model === "open" && arrivals.rate > MOST_ARRIVALS_PER_SECOND) {
    throw tooMuch(step, `k6 makes about ${MOST_ARRIVALS_PER_SECOND} requests a second on a small machine.`);
  }
  const users = arrivals.model === "open" ? arrivals.rate : arrivals.users;
  const most = Math.floor((totalmem() / 2 ** 20) * (MOST_MEMORY_SHARE / USER_MB));
  if (users > most) {
    throw tooMuch(
      step,
      `Its ${users} users would take ${Math.round(users * USER_MB)} MB of this machine's memory.`,
    );
  }
  // Each user of a closed load has a connection of its own; an open one needs as many as answers are late.
  const files = mostOpenFiles() ?? Number.POSITIVE_INFINITY;
  if (arrivals.model === "closed" && users + OTHER_FILES > files) {
    throw tooMuch(
      step,
      `A process may have ${files} files open here (ulimit -Hn), and each user is a connection.`,
      "Raise the limit in /etc/security/limits.conf (nofile) and log in again, or take fewer users.",
    );
  }
}

function tooMuch(
  step: ScheduledStep,
  reason: string,
  remedy = "Take a lower rate, fewer users or fewer steps.",
): LabError {
  return new LabError(
    "USAGE",
    `The step ${step.name} (${describeStep(step)}) is more than this machine can make.`,
    {
      reason,
      remedy,
    },
  );
}
