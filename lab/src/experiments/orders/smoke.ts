/** Orders, smoke: does the pipeline work under a little load? */

import type { Experiment } from "../experiment.ts";
import { lacksProcessor } from "./needs.ts";
import { observeOrders, orderSamples } from "./observe-orders.ts";

export const smoke: Experiment = {
  system: "orders",
  name: "smoke",
  summary: "20 queued orders a second for 10 s, quick payments: is everything accepted also paid, once?",
  script: "orders/place-orders.ts",
  parameters: {
    rate: { value: 20, meaning: "orders a second", least: 1, most: 2000, whole: true },
    seconds: { value: 10, meaning: "seconds of load", least: 2, most: 3600 },
  },
  target: "orders-receiver",
  partsLacking: lacksProcessor,
  load: ({ rate = 0, seconds = 0 }) => [
    { name: "warm-up", kind: "warm-up", arrivals: { model: "open", rate }, seconds: 2 },
    { name: "load", kind: "measured", arrivals: { model: "open", rate }, seconds },
  ],
  // 20 workers × 1/0.2 s = 100 orders/s: five times what comes in, so the queue drains at once.
  services: () => ({
    "orders-payments": { PAYMENT_SECONDS: "0.2", PAYMENT_CONCURRENCY: "0" },
    "orders-processor": { NUM_WORKERS: "20" },
  }),
  settleSeconds: 90,
  samples: orderSamples,
  observe: observeOrders,
};
