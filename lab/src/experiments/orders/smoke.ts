/** Orders, smoke: does the pipeline work under a little load? */

import type { Experiment } from "../experiment.ts";
import { observeOrders } from "./observe-orders.ts";

export const smoke: Experiment = {
  system: "orders",
  name: "smoke",
  summary: "20 queued orders a second for 10 s, quick payments: is everything accepted also paid, once?",
  script: "orders/smoke.ts",
  load: { rate: 20, seconds: 10 },
  target: "orders-receiver",
  // 20 workers × 1/0.2 s = 100 orders/s: five times what comes in, so the queue drains at once.
  services: {
    "orders-payments": { PAYMENT_SECONDS: "0.2", PAYMENT_CONCURRENCY: "0" },
    "orders-processor": { NUM_WORKERS: "20" },
  },
  settleSeconds: 90,
  observe: observeOrders,
};
