/**
 * Orders, worker scaling: what becomes of the queue when orders come faster than they are paid for, and what more workers do about it.
 * The published study's own experiment, with two rows more: one payment at a time, where workers do not help, and workers
 * that come with the backlog.
 *
 * Hours are not waited for. The drain is watched for `drain_seconds`; what is left then is forecast at the rate of the watch, said to
 * be, and done fast, so that every order is judged. `compress` runs the same faster: rate × c, times ÷ c. Depths stay, and times are
 * told as those of the study.
 */

import { effectiveWorkers } from "../../models/queue.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import type {
  Experiment,
  FinishedLoad,
  Observed,
  ObservedPlan,
  ParameterValues,
  Sample,
} from "../experiment.ts";
import { decimal } from "./decimal.ts";
import { forecastLastPaid, saturatedRate } from "./drain-forecast.ts";
import { finishFast } from "./finish-fast.ts";
import { needsWorkers } from "./needs.ts";
import { observeOrders, orderSamples } from "./observe-orders.ts";
import { depthFigures, type OrderTimes, readOrderTimes } from "./order-times.ts";
import { OrdersApi } from "./orders-api.ts";
import { isScaled, modelOf, readScaling, scalingTable } from "./worker-scaling-table.ts";
import { workersNow } from "./workers-now.ts";

const samples = [
  ...orderSamples,
  { name: "queue_depth", meaning: "orders in the queue, waiting or received" },
  { name: "workers", meaning: "workers that there are" },
] as const satisfies readonly Sample[];

/** An interval of scaling, and how long it waits before there are fewer workers; of the study's time. */
const SCALE_SECONDS = { interval: 1, cooldown: 15 };

export const workerScaling: Experiment = {
  system: "orders",
  name: "worker-scaling",
  summary: "58 orders a second for a minute, 3 s each: how deep is the queue, and how long does it drain?",
  script: "orders/place-orders.ts",
  parameters: {
    rate: { value: 58, meaning: "orders a second", least: 1, most: 2000 },
    seconds: { value: 60, meaning: "seconds of load", least: 2, most: 600 },
    payment_seconds: { value: 3, meaning: "seconds a payment takes", least: 0.1, most: 60 },
    workers: { value: 20, meaning: "workers; with scaling, the least", least: 1, most: 1000, whole: true },
    payment_lines: {
      value: 0,
      meaning: "payments at a time, 0 for no limit",
      least: 0,
      most: 1000,
      whole: true,
    },
    backlog_per_worker: {
      value: 0,
      meaning: "orders that may wait for each worker before there are more, 0 for as many workers as said",
      least: 0,
      most: 1000,
    },
    most_workers: { value: 200, meaning: "workers with scaling, at most", least: 1, most: 1000, whole: true },
    drain_seconds: { value: 60, meaning: "seconds for which the drain is watched", least: 1, most: 20_000 },
    compress: { value: 1, meaning: "times as fast: rate × this, times ÷ this", least: 1, most: 40 },
  },
  rows: [
    { name: "1 worker", parameters: { workers: 1 } },
    { name: "5 workers", parameters: { workers: 5 } },
    { name: "20 workers", parameters: { workers: 20 } },
    { name: "100 workers", parameters: { workers: 100 } },
    { name: "20 workers, one payment at a time", parameters: { workers: 20, payment_lines: 1 } },
    { name: "as many workers as the backlog asks for", parameters: { workers: 1, backlog_per_worker: 3 } },
  ],
  target: "orders-receiver",
  assertUsable: needsWorkers,
  // Without a warm-up: its orders would be in the queue too.
  load: ({ rate = 0, seconds = 0, compress = 1 }) => [
    {
      name: "load",
      kind: "measured",
      arrivals: { model: "open", rate: rate * compress },
      seconds: seconds / compress,
    },
  ],
  services: (values) => {
    const { payment_seconds = 0, payment_lines = 0, workers = 0, most_workers = 0, compress = 1 } = values;
    return {
      "orders-payments": {
        PAYMENT_SECONDS: decimal(payment_seconds / compress),
        PAYMENT_CONCURRENCY: String(payment_lines),
      },
      "orders-processor": {
        NUM_WORKERS: String(workers),
        MAX_WORKERS: String(most_workers),
        SCALE_BACKLOG_PER_WORKER: decimal(values.backlog_per_worker ?? 0),
        SCALE_INTERVAL_SECONDS: decimal(Math.max(0.05, SCALE_SECONDS.interval / compress)),
        SCALE_COOLDOWN_SECONDS: decimal(SCALE_SECONDS.cooldown / compress),
      },
    };
  },
  finish: ({ drain_seconds = 0, compress = 1 }) =>
    finishFast(drain_seconds / compress, { SCALE_BACKLOG_PER_WORKER: "0" }),
  settleSeconds: 180,
  samples,
  // Measured however long the watch was; a drain may be a forecast.
  primaryMetric: () => "processed_per_s",
  beside: scalingTable,
  readings: readScaling,
  observe,
};

async function observe(runtime: Runtime, plan: ObservedPlan): Promise<Observed> {
  const base = await observeOrders(runtime);
  const api = OrdersApi.of(runtime);
  const { last_seq: before } = await api.ledgerSummary();
  return {
    ...base,
    async sample() {
      const [row, workers] = await Promise.all([base.sample(), workersNow(runtime)]);
      const { queue_visible = 0, queue_in_flight = 0, queue_delayed = 0 } = row;
      const depth = queue_visible + queue_in_flight + queue_delayed;
      return { ...row, queue_depth: depth, ...(workers === undefined ? {} : { workers }) };
    },
    async findings({ answersFile, measuredUntil, drainedInTime }: FinishedLoad) {
      const times = await readOrderTimes(answersFile, await api.chargesAfter(before));
      return scalingFindings(times, plan.parameters, {
        until: (measuredUntil - times.began) / 1000,
        drainedInTime,
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([base[Symbol.asyncDispose](), api[Symbol.asyncDispose]()]);
    },
  };
}

/** Times and rates are the study's: those of the run by its compression. A drain that was not measured to its end is no `drain_s`. */
export function scalingFindings(
  { orders, notAccepted }: Pick<OrderTimes, "orders" | "notAccepted">,
  values: ParameterValues,
  watched: { readonly until: number; readonly drainedInTime: boolean },
): Record<string, number> {
  const { compress = 1, payment_seconds = 0, seconds = 0 } = values;
  const { drainedInTime } = watched;
  // Of a queue that has drained nothing was done by other settings.
  const until = drainedInTime ? Number.POSITIVE_INFINITY : watched.until;
  const serviceSeconds = payment_seconds / compress;
  const depth = depthFigures(orders, { serviceSeconds, until });
  // A queue may say late that it is empty; and a dead letter is left for ever, and will not be paid by anybody.
  const whole = drainedInTime || depth.left === 0;
  const workers = effectiveWorkers(modelOf(values));
  // Workers that come with the backlog go no rounds.
  const rate = isScaled(values) ? undefined : saturatedRate(orders, { until, workers });
  const drainOf = (lastPaid: number) => Math.max(0, lastPaid * compress - seconds);
  const forecast = (by: typeof rate) =>
    drainOf(forecastLastPaid(orders, { until, workers, serviceSeconds }, by));
  return {
    orders: orders.length,
    not_accepted: notAccepted,
    last_accepted_s: orders.reduce((last, { accepted }) => Math.max(last, accepted), 0) * compress,
    peak_depth: depth.peakDepth,
    ...(depth.peakWaiting !== undefined && { peak_waiting: depth.peakWaiting }),
    processed_per_s: depth.lastPaid > 0 ? depth.done / (depth.lastPaid * compress) : 0,
    ...(rate && { saturated_per_s: rate.perSecond / compress, saturated_orders: rate.orders }),
    drain_watched_s: drainOf(whole ? depth.lastPaid : until),
    left_after_watch: whole ? 0 : depth.left,
    ...(whole
      ? { drain_s: drainOf(depth.lastPaid) }
      : { drain_forecast_s: forecast(rate), drain_forecast_nominal_s: forecast(undefined) }),
  };
}
