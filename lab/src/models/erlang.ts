/**
 * How long orders wait when they come at random and the workers keep up: a system in its steady state, for which the
 * fluid model says that nobody ever waits.
 *
 * Erlang C (A. K. Erlang, 1917) is exact for Poisson arrivals and exponential service times, M/M/c. Allen and Cunneen's
 * approximation (A. O. Allen, Probability, Statistics, and Queueing Theory, 2nd ed. 1990) multiplies its wait by
 * (Ca² + Cs²) / 2, the squared coefficients of variation of the times between arrivals and of the service times; a fixed
 * service time has 0, so M/D/c waits half as long as M/M/c. Good near saturation, some per cent too low with many idle workers.
 */

export interface SteadyState {
  /** λ·s / c, below 1. */
  readonly offeredLoad: number;
  /** Probability that an order has to wait at all (Erlang C). */
  readonly waitProbability: number;
  /** Mean wait in seconds with exponential service times, M/M/c, exact. */
  readonly meanWaitExponential: number;
  /** Mean wait in seconds with a fixed service time, M/D/c, Allen–Cunneen. */
  readonly meanWaitFixed: number;
}

/**
 * @param arrivalsPerSecond λ
 * @param serviceSeconds s
 * @param workers c, a whole number from 1
 * @returns undefined at an offered load of 1 and more: there is no steady state, the queue grows
 */
export function steadyState(
  arrivalsPerSecond: number,
  serviceSeconds: number,
  workers: number,
): SteadyState | undefined {
  const load = (arrivalsPerSecond * serviceSeconds) / workers;
  if (!(load < 1)) return undefined;
  const waitProbability = erlangC(arrivalsPerSecond * serviceSeconds, workers);
  const meanWaitExponential = (waitProbability * serviceSeconds) / (workers * (1 - load));
  return {
    offeredLoad: load,
    waitProbability,
    meanWaitExponential,
    meanWaitFixed: allenCunneen(meanWaitExponential, { arrivalVariation: 1, serviceVariation: 0 }),
  };
}

/**
 * Probability that an arrival finds all workers busy, M/M/c. By the recursion of Erlang B, which neither overflows nor
 * cancels with thousands of workers.
 * @param traffic λ·s, below `workers`
 */
export function erlangC(traffic: number, workers: number): number {
  let blocked = 1;
  for (let count = 1; count <= workers; count += 1) {
    blocked = (traffic * blocked) / (count + traffic * blocked);
  }
  return blocked / (1 - (traffic / workers) * (1 - blocked));
}

/** Mean wait of G/G/c from that of M/M/c. Variations are squared coefficients of variation: 0 fixed, 1 exponential. */
export function allenCunneen(
  meanWaitExponential: number,
  variations: { readonly arrivalVariation: number; readonly serviceVariation: number },
): number {
  return (meanWaitExponential * (variations.arrivalVariation + variations.serviceVariation)) / 2;
}
