/**
 * Orders, coordinated omission: the receiver is frozen for a while under two loads at once, of the same rate. The open one
 * goes on sending, as customers would; the users of the closed one wait, and so send nothing while it is bad. Both see the
 * same service, and report two different tails.
 */

import type { Experiment } from "../experiment.ts";
import type { RunFigures } from "../figures.ts";
import { needsWorkers } from "./needs.ts";
import { observeOrders, orderSamples } from "./observe-orders.ts";

/** Of the freeze, after the load began: two seconds of warm-up, and time to get going. */
const FROZEN_AT = 5;
const WARM_UP_SECONDS = 2;

export const coordinatedOmission: Experiment = {
  system: "orders",
  name: "coordinated-omission",
  summary: "the receiver freezes under an open and a closed load of one rate: which of the two notices?",
  script: "orders/place-orders.ts",
  parameters: {
    rate: { value: 20, meaning: "orders a second, of each load", least: 10, most: 500, whole: true },
    seconds: { value: 20, meaning: "seconds of load", least: 10, most: 600 },
    frozen: { value: 2, meaning: "seconds for which the receiver is frozen", least: 0.5, most: 5 },
  },
  target: "orders-receiver",
  assertUsable: needsWorkers,
  load: ({ rate = 0, seconds = 0 }) => [
    { name: "warm-up", kind: "warm-up", arrivals: { model: "open", rate }, seconds: WARM_UP_SECONDS },
    { name: "open", kind: "measured", arrivals: { model: "open", rate }, seconds },
    {
      name: "closed",
      kind: "measured",
      // Little's law: rate / 10 users who think for 0.1 s send about `rate` a second, the answer's time aside.
      arrivals: { model: "closed", users: Math.ceil(rate / 10), think_seconds: 0.1 },
      seconds,
      beside: true,
    },
  ],
  services: () => ({
    "orders-payments": { PAYMENT_SECONDS: "0", PAYMENT_CONCURRENCY: "0" },
    "orders-processor": { NUM_WORKERS: "50" },
  }),
  faults: ({ frozen = 0 }) => [
    { part: "orders-receiver", action: "stop", atSeconds: FROZEN_AT },
    { part: "orders-receiver", action: "cont", atSeconds: FROZEN_AT + frozen },
  ],
  settleSeconds: 90,
  samples: orderSamples,
  primaryMetric: () => "open/latency_p95_ms",
  readings: readTails,
  observe: observeOrders,
};

function readTails({ steps }: RunFigures): string[] {
  const of = (name: string) => steps.find(({ step }) => step.name === name);
  const [open, closed] = [of("open"), of("closed")];
  if (!open?.latency_ms || !closed?.latency_ms) return [];
  // A service that is slow throughout is another story: then a closed load falls behind even without a freeze.
  if (open.latency_ms.p50 > 50) {
    return [
      `The service was slow throughout (median ${open.latency_ms.p50.toFixed(0)} ms): take a lower rate to see the freeze alone.`,
    ];
  }
  const times = open.latency_ms.p95 / closed.latency_ms.p95;
  const tails = `p95 is ${open.latency_ms.p95.toFixed(0)} ms in the open model and ${closed.latency_ms.p95.toFixed(0)} ms in the closed one`;
  if (times < 2) {
    return [
      `The two models agree: ${tails}. The freeze was too short, or too rare, to reach the 95th percentile of either.`,
    ];
  }
  return [
    `The same freeze, seen twice: ${tails}, ${times.toFixed(1)} times as much.`,
    `While the receiver was frozen the closed model's users waited and sent nothing: it has ${closed.answers} answers, ` +
      `the open one ${open.answers}. The requests that it left out are the slow ones: coordinated omission.`,
  ];
}
