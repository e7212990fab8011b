/** Orders, rate sweep: how the receiver's latency grows with the rate, up to where it can no longer keep up. */

import type { Experiment } from "../experiment.ts";
import { needsWorkers } from "./needs.ts";
import { observeOrders, orderSamples } from "./observe-orders.ts";

export const rateSweep: Experiment = {
  system: "orders",
  name: "rate-sweep",
  summary: "queued orders at five rates, each double the one before: how do latencies grow with the rate?",
  script: "orders/place-orders.ts",
  parameters: {
    lowest: { value: 20, meaning: "orders a second in the first step", least: 1, most: 1000, whole: true },
    steps: {
      value: 5,
      meaning: "steps, each at double the rate of the one before",
      least: 2,
      most: 8,
      whole: true,
    },
    seconds: { value: 8, meaning: "seconds a step", least: 2, most: 600 },
  },
  target: "orders-receiver",
  assertUsable: needsWorkers,
  load: ({ lowest = 0, steps = 0, seconds = 0 }) => [
    { name: "warm-up", kind: "warm-up", arrivals: { model: "open", rate: lowest }, seconds: 3 },
    ...Array.from({ length: steps }, (_, index) => {
      const rate = lowest * 2 ** index;
      return { name: `r${rate}`, kind: "measured", arrivals: { model: "open", rate }, seconds } as const;
    }),
  ],
  // Payments that take no time: what is looked for is the receiver's limit, not the processor's.
  services: () => ({
    "orders-payments": { PAYMENT_SECONDS: "0", PAYMENT_CONCURRENCY: "0" },
    "orders-processor": { NUM_WORKERS: "50" },
  }),
  settleSeconds: 180,
  samples: orderSamples,
  // Of the lowest rate, the one that every system can be expected to keep up with.
  primaryMetric: ({ lowest }) => `r${lowest}/latency_p50_ms`,
  observe: observeOrders,
};
