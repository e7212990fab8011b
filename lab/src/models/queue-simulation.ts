/**
 * The queue model run order by order, first come, first served. Where the closed forms of queue.ts stop being exact,
 * with random arrivals near saturation or with few orders, this is the figure to use. Same parameters and seed, same
 * figures.
 */
import { median } from "../util/median.ts";
import {
  capacityPerSecond,
  checkQueue,
  effectiveWorkers,
  type QueueFigures,
  type QueueParameters,
} from "./queue.ts";
import { exponential, seededRandom } from "./seeded-random.ts";

export interface SimulationOptions {
  /** Even distances, as of a constant-rate generator, or a Poisson process, as of many independent customers. */
  readonly arrivals?: "even" | "poisson";
  /** Every order takes equally long, or exponentially distributed times with that mean (only to check Erlang's formula). */
  readonly service?: "fixed" | "exponential";
  /** For random arrivals and services. */
  readonly seed?: number;
}

/** More orders than this are refused: some seconds and 100 MB. */
export const mostSimulatedOrders = 5_000_000;

/**
 * One run from an empty queue until the last order is done. Time n log c for n orders and c workers.
 * @throws RangeError for parameters that make no sense or mean too many orders
 */
export function simulateQueue(parameters: QueueParameters, options: SimulationOptions = {}): QueueFigures {
  checkQueue(parameters);
  const { arrivalSeconds, serviceSeconds, drainCapSeconds } = parameters;
  const random = seededRandom(options.seed ?? 1);
  const arrivals = arrivalTimes(parameters, options.arrivals ?? "even", random);
  const orders = arrivals.length;
  const starts = new Float64Array(orders);
  const ends = new Float64Array(orders);
  const free = new EarliestFirst(effectiveWorkers(parameters));
  let waited = 0;
  let longest = 0;
  let worked = 0;
  for (let order = 0; order < orders; order += 1) {
    const arrival = arrivals[order] as number;
    const start = Math.max(arrival, free.earliest);
    const service = options.service === "exponential" ? exponential(random, serviceSeconds) : serviceSeconds;
    free.replaceEarliest(start + service);
    starts[order] = start;
    ends[order] = start + service;
    waited += start - arrival;
    longest = Math.max(longest, start - arrival);
    worked += service;
  }
  // Orders start in the order of their arrival, but need not end in it.
  ends.sort();
  const end = Math.max(arrivalSeconds, ends.at(-1) ?? 0);
  return {
    orders,
    peakDepth: mostAtOnce(arrivals, ends),
    peakWaiting: mostAtOnce(arrivals, starts),
    drainSeconds: end - arrivalSeconds,
    meanWaitSeconds: orders === 0 ? 0 : waited / orders,
    maxWaitSeconds: longest,
    processedPerSecond: orders / end,
    utilisation: worked / (capacityPerSecond(parameters) * serviceSeconds * end),
    leftAtCap: drainCapSeconds === undefined ? undefined : countAfter(ends, arrivalSeconds + drainCapSeconds),
  };
}

/** The median of `runs` runs with the seeds 1, 2, …, figure by figure. */
export function medianOfRuns(
  parameters: QueueParameters,
  options: Omit<SimulationOptions, "seed"> & { readonly runs: number },
): QueueFigures {
  const all = Array.from({ length: options.runs }, (_, run) =>
    simulateQueue(parameters, { ...options, seed: run + 1 }),
  );
  const medianOf = (name: Exclude<keyof QueueFigures, "leftAtCap">) => median(all.map((run) => run[name]));
  return {
    orders: medianOf("orders"),
    peakDepth: medianOf("peakDepth"),
    peakWaiting: medianOf("peakWaiting"),
    drainSeconds: medianOf("drainSeconds"),
    meanWaitSeconds: medianOf("meanWaitSeconds"),
    maxWaitSeconds: medianOf("maxWaitSeconds"),
    processedPerSecond: medianOf("processedPerSecond"),
    utilisation: medianOf("utilisation"),
    leftAtCap:
      parameters.drainCapSeconds === undefined ? undefined : median(all.map((run) => run.leftAtCap ?? 0)),
  };
}

function arrivalTimes(
  { arrivalsPerSecond, arrivalSeconds }: QueueParameters,
  kind: "even" | "poisson",
  random: () => number,
): Float64Array {
  const expected = arrivalsPerSecond * arrivalSeconds;
  if (expected > mostSimulatedOrders) {
    throw new RangeError(
      `${Math.round(expected)} orders are too many to simulate (at most ${mostSimulatedOrders})`,
    );
  }
  if (kind === "even") {
    const orders = Math.max(1, Math.ceil(expected - 1e-9));
    return Float64Array.from({ length: orders }, (_, order) => order / arrivalsPerSecond);
  }
  const times: number[] = [];
  let time = exponential(random, 1 / arrivalsPerSecond);
  while (time < arrivalSeconds) {
    times.push(time);
    time += exponential(random, 1 / arrivalsPerSecond);
  }
  return Float64Array.from(times);
}

/** The most that have come and not gone, looked at after each coming; what goes at that very moment is gone. */
function mostAtOnce(comings: Float64Array, goings: Float64Array): number {
  let most = 0;
  let gone = 0;
  for (let come = 0; come < comings.length; come += 1) {
    const now = (comings[come] as number) + 1e-9;
    while (gone < goings.length && (goings[gone] as number) <= now) gone += 1;
    most = Math.max(most, come + 1 - gone);
  }
  return most;
}

/** @param sorted ascending */
function countAfter(sorted: Float64Array, time: number): number {
  return sorted.reduce((count, end) => (end > time + 1e-9 ? count + 1 : count), 0);
}

/** When each worker is free again, the earliest at the top: a binary heap that never changes its size. */
class EarliestFirst {
  readonly #times: Float64Array;

  /** All are free at 0. */
  constructor(workers: number) {
    this.#times = new Float64Array(workers);
  }

  get earliest(): number {
    return this.#times[0] as number;
  }

  replaceEarliest(time: number): void {
    const times = this.#times;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= times.length) break;
      if (child + 1 < times.length && (times[child + 1] as number) < (times[child] as number)) child += 1;
      if ((times[child] as number) >= time) break;
      times[at] = times[child] as number;
      at = child;
    }
    times[at] = time;
  }
}
