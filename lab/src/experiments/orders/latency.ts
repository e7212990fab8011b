/**
 * Orders, latency: how long a customer waits for the answer that the order is accepted, under the load of the published study: 100 users
 * who come ten a second. The study publishes this procedure and the layout of its metrics, no figures; what it claims is that
 * orders are accepted without waiting for their payment, wherever the pipeline runs.
 */

import type { Beside } from "../beside.ts";
import type { Experiment, ParameterValues } from "../experiment.ts";
import type { RunFigures } from "../figures.ts";
import { decimal } from "./decimal.ts";
import { finishFast } from "./finish-fast.ts";
import { needsWorkers } from "./needs.ts";
import { observeOrders, orderSamples } from "./observe-orders.ts";

export const latency: Experiment = {
  system: "orders",
  name: "latency",
  summary:
    "100 users who come ten a second: how long does a customer wait to be told that the order is accepted?",
  script: "orders/place-orders.ts",
  parameters: {
    users: { value: 100, meaning: "users", least: 1, most: 2000, whole: true },
    spawn: { value: 10, meaning: "users that come a second", least: 0.1, most: 1000 },
    seconds: { value: 60, meaning: "seconds after the last of them has come", least: 2, most: 3600 },
    // The study does not say. A second makes its 100 users less than 100 requests a second.
    think: { value: 1, meaning: "seconds between an answer and the next order", least: 0, most: 60 },
    payment_seconds: { value: 3, meaning: "seconds a payment takes", least: 0, most: 60 },
  },
  target: "orders-receiver",
  assertUsable: needsWorkers,
  // One step: users who had all to come again for the figures would all order at once, and go on doing so.
  load: ({ users = 0, spawn = 1, seconds = 0, think = 0 }) => [
    {
      name: "load",
      kind: "measured",
      arrivals: { model: "closed", users, think_seconds: think, spawn_per_second: spawn },
      seconds: users / spawn + seconds,
    },
  ],
  services: ({ payment_seconds = 0 }) => ({
    "orders-payments": { PAYMENT_SECONDS: decimal(payment_seconds), PAYMENT_CONCURRENCY: "0" },
    "orders-processor": { NUM_WORKERS: "20" },
  }),
  // Twenty workers do seven such orders a second: the queue that is left says nothing about answers.
  finish: () => finishFast(5),
  settleSeconds: 180,
  samples: orderSamples,
  beside,
  readings,
  observe: (runtime) => observeOrders(runtime),
};

function beside({ steps }: RunFigures): Beside[] {
  const [load] = steps;
  const line = (what: string, unit: string, measured: number | undefined): Beside => ({
    of: "accepted",
    what,
    unit,
    measured: measured ?? null,
    published: null,
  });
  return [
    line("answers", "/s", load?.answered_rate),
    line("errors", "%", load && load.answers > 0 ? (100 * load.errors) / load.answers : undefined),
    line("median", "ms", load?.latency_ms?.p50),
    line("95th percentile", "ms", load?.latency_ms?.p95),
    line("99th percentile", "ms", load?.latency_ms?.p99),
  ];
}

function readings({ steps }: RunFigures, { payment_seconds = 0 }: ParameterValues): string[] {
  const slowest = steps[0]?.latency_ms?.p99;
  if (slowest === undefined) return [];
  const waited = slowest < payment_seconds * 1000 ? "without waiting for it" : "not even so quickly";
  return [
    `A payment takes ${payment_seconds} s, and 99 of 100 orders were accepted within ${slowest.toFixed(0)} ms: ${waited}. ` +
      "What was published is the procedure; figures to set beside these are not.",
  ];
}
