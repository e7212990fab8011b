/**
 * The queue model's forecast: the same queue by three models, and the workers that it needs. What `lab model queue` prints,
 * and what an experiment sets beside its measured figures.
 */
import { type SteadyState, steadyState } from "./erlang.ts";
import {
  capacityPerSecond,
  effectiveWorkers,
  evenQueue,
  fluidQueue,
  offeredLoad,
  type QueueFigures,
  type QueueParameters,
} from "./queue.ts";
import { medianOfRuns } from "./queue-simulation.ts";
import { type WorkersNeeded, workersForDrain, workersForWait, workersToKeepUp } from "./workers-needed.ts";

export interface QueueTargets {
  /** Seconds that no order shall wait longer than. */
  readonly maxWait?: number;
  /** Seconds after the last arrivals by which all shall be done. */
  readonly maxDrain?: number;
}

export interface QueueForecast {
  readonly parameters: QueueParameters;
  readonly effectiveWorkers: number;
  readonly capacityPerSecond: number;
  readonly offeredLoad: number;
  /** The published formula. */
  readonly fluid: QueueFigures;
  /** Exact for arrivals at even distances. */
  readonly even: QueueFigures;
  /** Random arrivals, the median of some runs; undefined where these would be too many orders. */
  readonly random: (QueueFigures & { readonly runs: number }) | undefined;
  /** Undefined where the workers do not keep up. */
  readonly steadyState: SteadyState | undefined;
  readonly workersNeeded: Readonly<Record<string, WorkersNeeded>>;
}

const mostRuns = 25;
/** So that a forecast takes a second or two at most. */
const mostRandomOrders = 2_000_000;

/** @throws RangeError for parameters that make no sense */
export function forecastQueue(parameters: QueueParameters, targets: QueueTargets = {}): QueueForecast {
  const workers = effectiveWorkers(parameters);
  const { arrivalsPerSecond, arrivalSeconds, serviceSeconds } = parameters;
  const runs = Math.min(mostRuns, Math.floor(mostRandomOrders / (arrivalsPerSecond * arrivalSeconds)));
  return {
    parameters,
    effectiveWorkers: workers,
    capacityPerSecond: capacityPerSecond(parameters),
    offeredLoad: offeredLoad(parameters),
    fluid: fluidQueue(parameters),
    even: evenQueue(parameters),
    random: runs < 1 ? undefined : { ...medianOfRuns(parameters, { arrivals: "poisson", runs }), runs },
    steadyState: steadyState(arrivalsPerSecond, serviceSeconds, workers),
    workersNeeded: {
      "to keep up": workersToKeepUp(parameters),
      ...(targets.maxWait === undefined
        ? {}
        : {
            [`so that no order waits more than ${targets.maxWait} s`]: workersForWait(
              parameters,
              targets.maxWait,
            ),
          }),
      ...(targets.maxDrain === undefined
        ? {}
        : {
            [`so that all is done ${targets.maxDrain} s after the last`]: workersForDrain(
              parameters,
              targets.maxDrain,
            ),
          }),
    },
  };
}
