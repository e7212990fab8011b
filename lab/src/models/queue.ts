/**
 * The queue model: orders arrive at a steady rate for a while, workers take them one at a time, every order takes equally
 * long. Two closed forms of it:
 *
 * - `fluidQueue` is what published studies use: orders flow like water, (arrivals − capacity) × time. It forgets that the
 *   first order is done only after a whole service time, and is up to 1.5 orders a worker too low.
 * - `evenQueue` is exact for arrivals at even distances and a fixed service time (D/D/c in Kendall's notation).
 *
 * queue-simulation.ts runs the same parameters event by event; the tests hold the closed forms against it.
 *
 * Terms. Depth: orders that have arrived and are not done, as a queue's visible and in-flight messages together. Waiting:
 * those of them that nobody works on yet. Wait: seconds from an order's arrival to the start of its service. Offered load:
 * workers that the arrivals keep busy, divided by the workers there are; above 1 a queue builds up. Drain: the time from
 * the end of the arrivals to the completion of the last order.
 */

export interface QueueParameters {
  /** Orders a second, above 0. */
  readonly arrivalsPerSecond: number;
  /** How long orders arrive, seconds, above 0. */
  readonly arrivalSeconds: number;
  /** How long one order keeps a worker, seconds, above 0. */
  readonly serviceSeconds: number;
  /** Orders worked on at the same time, a whole number from 1 (NUM_WORKERS). */
  readonly workers: number;
  /** Payments that the provider takes at the same time (PAYMENT_CONCURRENCY); 0 or undefined: no limit. */
  readonly paymentLines?: number | undefined;
  /** A bounded run stops to watch this long after the arrivals; what is left by then is told as `leftAtCap`. */
  readonly drainCapSeconds?: number | undefined;
}

export interface QueueFigures {
  /** Orders that arrive in all. */
  readonly orders: number;
  /** Most orders at one time that are not done: waiting + in flight. */
  readonly peakDepth: number;
  /** Most orders at one time that nobody works on: waiting only. The fluid model cannot tell these from the former. */
  readonly peakWaiting: number;
  /** Seconds from the end of the arrivals until the last order is done. */
  readonly drainSeconds: number;
  /** Mean over all orders of the seconds before their service begins. */
  readonly meanWaitSeconds: number;
  /** The longest of these. */
  readonly maxWaitSeconds: number;
  /** Orders done a second, from the first arrival to the last completion. */
  readonly processedPerSecond: number;
  /** Share of the workers' time in use over the same period, 0 to 1. */
  readonly utilisation: number;
  /** Orders not done when a run that is bounded by `drainCapSeconds` ends; undefined without such a bound. */
  readonly leftAtCap: number | undefined;
}

/** Workers that do work: no more than the provider has lines. */
export function effectiveWorkers({ workers, paymentLines = 0 }: QueueParameters): number {
  return paymentLines > 0 ? Math.min(workers, paymentLines) : workers;
}

/** Orders a second that the workers can do: c / s. */
export function capacityPerSecond(parameters: QueueParameters): number {
  return effectiveWorkers(parameters) / parameters.serviceSeconds;
}

/** Arrivals / capacity: λ·s / c. Above 1 the queue grows as long as orders arrive. */
export function offeredLoad(parameters: QueueParameters): number {
  return parameters.arrivalsPerSecond / capacityPerSecond(parameters);
}

/**
 * The formula of published studies: depth (λ − c/s)·T, drained at c/s; no queue at all while the workers keep up.
 * @throws RangeError for parameters that make no sense
 */
export function fluidQueue(parameters: QueueParameters): QueueFigures {
  checkQueue(parameters);
  const { arrivalsPerSecond, arrivalSeconds, drainCapSeconds } = parameters;
  const capacity = capacityPerSecond(parameters);
  const backlog = Math.max(0, (arrivalsPerSecond - capacity) * arrivalSeconds);
  const drainSeconds = backlog / capacity;
  const processedPerSecond = Math.min(arrivalsPerSecond, capacity);
  return {
    orders: arrivalsPerSecond * arrivalSeconds,
    peakDepth: backlog,
    peakWaiting: backlog,
    drainSeconds,
    meanWaitSeconds: drainSeconds / 2,
    maxWaitSeconds: drainSeconds,
    processedPerSecond,
    utilisation: processedPerSecond / capacity,
    leftAtCap: drainCapSeconds === undefined ? undefined : Math.max(0, backlog - capacity * drainCapSeconds),
  };
}

/**
 * Exact for even arrivals (one every 1/λ s, the first at 0) and a fixed service time: order k is the ⌊k/c⌋-th of worker
 * k mod c, who begins with the arrival of its first order and, when overloaded, never rests before its last.
 * @throws RangeError for parameters that make no sense
 */
export function evenQueue(parameters: QueueParameters): QueueFigures {
  checkQueue(parameters);
  const { arrivalsPerSecond, arrivalSeconds, serviceSeconds, drainCapSeconds } = parameters;
  const workers = effectiveWorkers(parameters);
  const orders = evenOrders(parameters);
  const last = orders - 1;
  // Seconds that each round of a worker begins later than the arrival it serves; 0 when the workers keep up.
  const lagPerRound = Math.max(0, serviceSeconds - workers / arrivalsPerSecond);
  const rounds = Math.floor(last / workers);
  const end = last / arrivalsPerSecond + rounds * lagPerRound + serviceSeconds;
  const peakDepth = depthAt(parameters, last / arrivalsPerSecond);
  const processedPerSecond = orders / Math.max(end, arrivalSeconds);
  return {
    orders,
    peakDepth,
    peakWaiting: Math.max(0, peakDepth - workers),
    drainSeconds: Math.max(0, end - arrivalSeconds),
    meanWaitSeconds: (lagPerRound * sumOfRounds(orders, workers)) / orders,
    maxWaitSeconds: lagPerRound * rounds,
    processedPerSecond,
    utilisation: Math.min(1, processedPerSecond / capacityPerSecond(parameters)),
    leftAtCap:
      drainCapSeconds === undefined ? undefined : depthAt(parameters, arrivalSeconds + drainCapSeconds),
  };
}

/** Orders waiting and in flight, `seconds` after the first arrival, arrivals even: the model's line in a plot. */
export function depthAt(parameters: QueueParameters, seconds: number): number {
  if (seconds < 0) return 0;
  const { arrivalsPerSecond, serviceSeconds } = parameters;
  const workers = effectiveWorkers(parameters);
  const orders = evenOrders(parameters);
  const arrived = Math.min(orders, whole(seconds * arrivalsPerSecond) + 1);
  if (offeredLoad(parameters) <= 1) {
    const done =
      seconds < serviceSeconds ? 0 : whole((seconds - serviceSeconds) * arrivalsPerSecond + 1e-9) + 1;
    return arrived - Math.min(orders, done);
  }
  let done = 0;
  for (let worker = 0; worker < Math.min(workers, orders); worker += 1) {
    const busy = seconds - worker / arrivalsPerSecond;
    if (busy < serviceSeconds) break;
    const own = Math.floor((orders - 1 - worker) / workers) + 1;
    done += Math.min(own, whole(busy / serviceSeconds));
  }
  return arrived - done;
}

/**
 * How long workers need for what is left when a bounded run has stopped watching: c at a time, s each. In flight orders
 * count as whole ones, so it is at most one service time too long. For replays of published runs, which stopped watching
 * after some minutes and published the depth that they saw last.
 * @param depth orders not done: waiting + in flight
 * @returns seconds
 */
export function secondsToDrain(
  depth: number,
  parameters: Pick<QueueParameters, "serviceSeconds" | "workers" | "paymentLines">,
): number {
  const workers = effectiveWorkers({ ...parameters, arrivalsPerSecond: 1, arrivalSeconds: 1 });
  return Math.ceil(depth / workers) * parameters.serviceSeconds;
}

/**
 * The same experiment `factor` times as fast: depths stay, times shrink by the factor. For replays, in minutes, of
 * published runs that took hours.
 */
export function compress(parameters: QueueParameters, factor: number): QueueParameters {
  if (!(factor > 0) || !Number.isFinite(factor)) throw new RangeError("factor must be above 0");
  const { drainCapSeconds } = parameters;
  return {
    ...parameters,
    arrivalsPerSecond: parameters.arrivalsPerSecond * factor,
    arrivalSeconds: parameters.arrivalSeconds / factor,
    serviceSeconds: parameters.serviceSeconds / factor,
    ...(drainCapSeconds === undefined ? {} : { drainCapSeconds: drainCapSeconds / factor }),
  };
}

/** @throws RangeError that names the parameter */
export function checkQueue(parameters: QueueParameters): void {
  for (const name of ["arrivalsPerSecond", "arrivalSeconds", "serviceSeconds"] as const) {
    if (!(parameters[name] > 0) || !Number.isFinite(parameters[name])) {
      throw new RangeError(`${name} must be a number above 0`);
    }
  }
  const { workers, paymentLines = 0, drainCapSeconds = 0 } = parameters;
  if (!Number.isInteger(workers) || workers < 1)
    throw new RangeError("workers must be a whole number from 1");
  if (!Number.isInteger(paymentLines) || paymentLines < 0) {
    throw new RangeError("paymentLines must be a whole number from 0");
  }
  if (!(drainCapSeconds >= 0)) throw new RangeError("drainCapSeconds must not be below 0");
}

/** Orders at even distances in [0, T), one at least. */
function evenOrders({ arrivalsPerSecond, arrivalSeconds }: QueueParameters): number {
  return Math.max(1, Math.ceil(arrivalsPerSecond * arrivalSeconds - 1e-9));
}

/** Σ ⌊k/c⌋ for k from 0 to n − 1. */
function sumOfRounds(orders: number, workers: number): number {
  const full = Math.floor(orders / workers);
  return (workers * full * (full - 1)) / 2 + full * (orders - full * workers);
}

/** Rounds down, but not a 3 that floating point has made 2.9999999999. */
function whole(value: number): number {
  return Math.floor(value + 1e-9);
}
