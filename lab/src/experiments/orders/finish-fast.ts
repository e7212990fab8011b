/** The rest of a queue, done fast once what is measured of a run is over. */

import type { Experiment } from "../experiment.ts";

/** @param processor variables of the processor that an experiment has changed and that would hold it up */
export function finishFast(
  measuredSeconds: number,
  processor: Readonly<Record<string, string>> = {},
): ReturnType<NonNullable<Experiment["finish"]>> {
  return {
    measuredSeconds,
    services: {
      // First: to a processor that has hundreds of payments in a line, they are what it waits for.
      "orders-payments": { PAYMENT_SECONDS: "0", PAYMENT_CONCURRENCY: "0" },
      "orders-processor": { NUM_WORKERS: "100", ...processor },
    },
  };
}
