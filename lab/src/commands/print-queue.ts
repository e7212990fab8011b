/** The queue model's forecast: the same queue by three models, side by side, and the workers that it needs. */
import type { Output } from "../cli/output.ts";
import { type SteadyState, steadyState } from "../models/erlang.ts";
import {
  capacityPerSecond,
  effectiveWorkers,
  evenQueue,
  fluidQueue,
  offeredLoad,
  type QueueFigures,
  type QueueParameters,
} from "../models/queue.ts";
import { medianOfRuns } from "../models/queue-simulation.ts";
import {
  type WorkersNeeded,
  workersForDrain,
  workersForWait,
  workersToKeepUp,
} from "../models/workers-needed.ts";

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

export function printQueue(forecast: QueueForecast, output: Output): void {
  const { parameters, fluid, even, random, steadyState, workersNeeded } = forecast;
  const { arrivalsPerSecond, arrivalSeconds, serviceSeconds, workers, drainCapSeconds } = parameters;
  output.line(
    `${arrivalsPerSecond} orders a second for ${arrivalSeconds} s, ${serviceSeconds} s each, ${workers} workers` +
      (forecast.effectiveWorkers < workers
        ? `, of which the provider's lines let ${forecast.effectiveWorkers} work`
        : ""),
  );
  output.line(
    `They can do ${told(forecast.capacityPerSecond)} a second: an offered load of ${percent(forecast.offeredLoad)}`,
  );
  output.line();
  const row = (name: string, figure: (figures: QueueFigures) => string) => [
    name,
    figure(fluid),
    figure(even),
    random === undefined ? "too many to try" : figure(random),
  ];
  output.table([
    [
      "",
      "published formula",
      "even arrivals",
      `random arrivals${random ? `, median of ${random.runs}` : ""}`,
    ],
    row("peak depth (waiting + in flight)", ({ peakDepth }) => told(peakDepth)),
    // The formula does not tell one from the other.
    ["peak waiting", "", told(even.peakWaiting), random === undefined ? "" : told(random.peakWaiting)],
    row("drain after the last arrivals", ({ drainSeconds }) => seconds(drainSeconds)),
    ...(drainCapSeconds === undefined
      ? []
      : [row(`left ${drainCapSeconds} s after them`, ({ leftAtCap }) => told(leftAtCap ?? 0))]),
    row("mean wait of an order", ({ meanWaitSeconds }) => seconds(meanWaitSeconds)),
    row("longest wait", ({ maxWaitSeconds }) => seconds(maxWaitSeconds)),
    row("done a second", ({ processedPerSecond }) => told(processedPerSecond)),
    row("workers in use", ({ utilisation }) => percent(utilisation)),
  ]);
  output.line();
  if (steadyState !== undefined) {
    output.line(
      `If orders came like this for ever, at random: ${percent(steadyState.waitProbability)} of them would wait, ` +
        `${seconds(steadyState.meanWaitFixed)} on average over all (Erlang C, Allen–Cunneen)`,
    );
  }
  for (const [what, { workers: needed, reason }] of Object.entries(workersNeeded)) {
    output.line(
      `Workers needed ${what}: ${needed === undefined ? `no number is enough, ${reason}` : needed}`,
    );
  }
}

/** Three digits at least, no more decimals than help. */
function told(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function seconds(value: number): string {
  if (value < 0.1 && value > 0) return `${told(value * 1000)} ms`;
  if (value < 600) return `${told(value)} s`;
  if (value < 7200) return `${told(value)} s (${told(value / 60)} min)`;
  return `${told(value)} s (${told(value / 3600)} h)`;
}

function percent(value: number): string {
  return `${told(value * 100)} %`;
}
