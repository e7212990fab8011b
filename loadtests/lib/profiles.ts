/** Load profiles: how requests arrive. */

import type { ConstantArrivalRateScenario } from "k6/options";

/**
 * Open model: `rate` iterations a second begin whether or not earlier ones have ended, as customers do.
 * `patienceSeconds` is the longest an iteration may take; it sets how many virtual users must stand ready,
 * since an arrival that finds none is dropped and makes the run invalid.
 */
export function openArrivals(
  rate: number,
  seconds: number,
  patienceSeconds: number,
): ConstantArrivalRateScenario {
  const most = Math.max(10, Math.ceil(rate * patienceSeconds));
  return {
    executor: "constant-arrival-rate",
    rate,
    timeUnit: "1s",
    duration: `${seconds}s`,
    preAllocatedVUs: Math.min(most, Math.max(10, rate)),
    maxVUs: most,
    gracefulStop: `${patienceSeconds}s`,
  };
}
