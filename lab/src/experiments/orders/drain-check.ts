/**
 * The queue model held against a drain that was measured to its end, in two ways: (a) the model alone, which knows of payments and
 * nothing else, and (b) the model that finishes from what a bounded watch of the same drain would have seen, which is what
 * worker-scaling does.
 */

import { evenQueue } from "../../models/queue.ts";
import type { ParameterValues } from "../experiment.ts";
import { depthFigures, type OrderTimes } from "./order-times.ts";
import { scalingFindings } from "./worker-scaling.ts";
import { modelOf } from "./worker-scaling-table.ts";

/** What was measured, and what a model says of it. */
export interface Compared {
  readonly measured: number;
  readonly model: number;
  /** By how much the model is off, of what was measured: -5 is 5 % too low. */
  readonly percent: number;
}

export interface DrainCheck {
  readonly peakDepth: Compared;
  /** Seconds of the study's time, by the model alone: (a). */
  readonly drainByModel: Compared;
  /** By the model that finishes: (b). */
  readonly drainFinished: Compared;
  /** Payments a second, as the first part of the drain showed; undefined where it was too short, and (b) is by the model alone. */
  readonly measuredPerSecond: number | undefined;
}

/** @param share of the drain that the bounded watch sees, 0 to 1 */
export function checkDrain(
  times: Pick<OrderTimes, "orders" | "notAccepted">,
  values: ParameterValues,
  share: number,
): DrainCheck {
  const { compress = 1, seconds = 0, payment_seconds = 0 } = values;
  const loadEnds = seconds / compress;
  const whole = depthFigures(times.orders, {
    serviceSeconds: payment_seconds / compress,
    until: Number.POSITIVE_INFINITY,
  });
  const until = loadEnds + share * Math.max(0, whole.lastPaid - loadEnds);
  const cut = scalingFindings(times, values, { until, drainedInTime: false });
  const model = evenQueue(modelOf(values));
  const drain = (whole.lastPaid - loadEnds) * compress;
  return {
    peakDepth: compared(whole.peakDepth, model.peakDepth),
    drainByModel: compared(drain, model.drainSeconds),
    // All paid by then: there is nothing left that could be forecast.
    drainFinished: compared(drain, cut.drain_forecast_s ?? Number.NaN),
    measuredPerSecond: cut.saturated_per_s,
  };
}

/** Whether what a table with bounded drains rests on is right to some per cent: the peak depth, and (b). */
export function isClose({ peakDepth, drainFinished }: DrainCheck, percent: number): boolean {
  return [peakDepth, drainFinished].every((each) => Math.abs(each.percent) <= percent);
}

function compared(measured: number, model: number): Compared {
  return { measured, model, percent: 100 * (model / measured - 1) };
}
