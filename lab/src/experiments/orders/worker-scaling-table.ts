/** Worker scaling, read: what was measured beside the queue model and the published study, and what else its figures show. */

import { capacityPerSecond, effectiveWorkers, evenQueue, type QueueParameters } from "../../models/queue.ts";
import { publishedOrdersScaling } from "../../published/index.ts";
import type { Beside } from "../beside.ts";
import type { ParameterValues } from "../experiment.ts";
import type { RunFigures } from "../figures.ts";

/** Workers come with the backlog. */
export function isScaled({ backlog_per_worker = 0 }: ParameterValues): boolean {
  return backlog_per_worker > 0;
}

/** The run as the model takes it, in the study's time. With scaling, with as many workers as may come: the least that a drain takes. */
export function modelOf(values: ParameterValues): QueueParameters {
  const { rate = 0, seconds = 0, payment_seconds = 0, payment_lines = 0 } = values;
  const workers = (isScaled(values) ? values.most_workers : values.workers) ?? 0;
  return {
    arrivalsPerSecond: rate,
    arrivalSeconds: seconds,
    serviceSeconds: payment_seconds,
    workers,
    paymentLines: payment_lines,
  };
}

/** Each figure beside the model's, and beside the study's where the run is its own. */
export function scalingTable(
  { findings = {}, steps, highest }: RunFigures,
  values: ParameterValues,
): Beside[] {
  const { compress = 1, workers = 0, payment_lines = 0, most_workers = 0 } = values;
  const scaled = isScaled(values);
  const model = scaled ? undefined : evenQueue(modelOf(values));
  const published = publishedRow(values);
  const reason = published && contradictionOf(workers);
  const row = scaled
    ? `${workers} to ${most_workers} workers`
    : `${workers} worker${workers === 1 ? "" : "s"}`;
  const of = row + (payment_lines > 0 ? `, ${payment_lines} payment at a time` : "");
  const line = (
    what: string,
    unit: string,
    measured: number | null | undefined,
    beside: {
      readonly model?: number | undefined;
      readonly published?: number | undefined;
      readonly how?: string;
    },
  ): Beside => ({
    of,
    what,
    unit,
    measured: measured ?? null,
    ...(beside.how === undefined ? {} : { how: beside.how }),
    ...(beside.model === undefined ? {} : { model: beside.model }),
    published: beside.published ?? null,
    ...(reason && beside.published !== undefined ? { reason } : {}),
  });
  const how = howForecast(findings, values);
  const [load] = steps;
  return [
    line("orders accepted", "", findings.orders, { model: model?.orders, published: published?.requests }),
    line("not accepted", "", findings.not_accepted, { published: published?.failed }),
    // At another speed it is another load.
    ...(compress === 1
      ? [{ ...line("median answer", "ms", load?.latency_ms?.p50, { published: published?.medianMs }) }]
      : []),
    line("processed", "/s", findings.processed_per_s, {
      model: model?.processedPerSecond,
      published: published?.ratePerSecond,
    }),
    line("peak depth, waiting or in hand", "", findings.peak_depth, {
      model: model?.peakDepth,
      published: published?.peakQueueDepth,
    }),
    // Of a limited provider the model counts the payments as in hand, and a queue the workers that wait for one.
    ...(payment_lines > 0
      ? []
      : [
          line("peak depth, waiting only", "", findings.peak_waiting, {
            model: model?.peakWaiting,
            published: published?.peakQueueDepth,
          }),
        ]),
    ...(scaled ? [line("workers, at most", "", highest.workers, {})] : []),
    line(
      how !== undefined && scaled ? "drain, at least" : "drain",
      "s",
      findings.drain_s ?? findings.drain_forecast_s,
      { model: model?.drainSeconds, published: published?.drainSeconds, ...(how !== undefined && { how }) },
    ),
  ];
}

/** Undefined where the drain was measured to its end. */
function howForecast(findings: Readonly<Record<string, number>>, values: ParameterValues) {
  const { drain_watched_s = 0, left_after_watch = 0, saturated_per_s, saturated_orders } = findings;
  if (left_after_watch === 0) return undefined;
  const watched = `${drain_watched_s.toFixed(0)} s were watched; the ${left_after_watch} orders left then are forecast`;
  const nominal = rateText(capacityPerSecond(modelOf(values)));
  if (isScaled(values))
    return `${watched} at ${nominal} a second, by as many workers as may come: with fewer it takes longer`;
  return saturated_per_s === undefined
    ? `${watched} at ${nominal} a second, workers ÷ payment time: too few payments were measured while orders waited`
    : `${watched} at ${rateText(saturated_per_s)} a second, as measured over ${saturated_orders} payments while orders waited (workers ÷ payment time: ${nominal})`;
}

/** Of rates that differ by some thousandths. */
function rateText(perSecond: number): string {
  return String(Number(perSecond.toPrecision(4)));
}

export function readScaling({ findings = {}, highest }: RunFigures, values: ParameterValues): string[] {
  const { compress = 1, payment_lines = 0, workers = 0, rate = 0, seconds = 0 } = values;
  const told: string[] = [];
  const planned = Math.ceil(rate * seconds);
  const missing = planned - (findings.orders ?? 0);
  const late = (findings.last_accepted_s ?? 0) - seconds;
  if (missing > planned * MOST_MISSING || late > seconds * MOST_MISSING) {
    told.push(
      `${missing} of ${planned} orders were not accepted, and the last one ${late.toFixed(0)} s after the load: the queue had less, ` +
        "or had it later, than the model takes it to have. Take a lower compress, or a machine with nothing else to do.",
    );
  }
  if (highest.queue_visible !== undefined) {
    told.push(
      `Asked once a second, the queue said ${highest.queue_visible} visible and ${highest.queue_in_flight} in flight at most; ` +
        `by the orders' own times ${findings.peak_depth} were not paid at the worst moment.`,
    );
  }
  told.push(...readRate(findings, values));
  if (compress !== 1)
    told.push(
      `${compress} times as fast; times and rates are told as those of the study, depths are as they were.`,
    );
  if (payment_lines > 0 && payment_lines < workers)
    told.push(
      `The provider takes ${payment_lines} payment${payment_lines === 1 ? "" : "s"} at a time: of ${workers} workers ${workers - payment_lines} only wait in its line.`,
    );
  return told;
}

/** What an order takes beside its payment is the system's, and in no model. */
function readRate(findings: Readonly<Record<string, number>>, values: ParameterValues): string[] {
  const { compress = 1, payment_seconds = 0 } = values;
  const { saturated_per_s, saturated_orders, drain_forecast_s, drain_forecast_nominal_s } = findings;
  if (saturated_per_s === undefined) return [];
  const beside = (effectiveWorkers(modelOf(values)) / saturated_per_s - payment_seconds) / compress;
  const nominal = rateText(capacityPerSecond(modelOf(values)));
  const rate =
    `While orders waited, ${rateText(saturated_per_s)} a second were paid (${saturated_orders} payments); workers ÷ payment time are ${nominal}. ` +
    `An order took ${(beside * 1000).toFixed(0)} ms beside its payment.`;
  if (drain_forecast_s === undefined || drain_forecast_nominal_s === undefined) return [rate];
  return [
    rate,
    `The drain is forecast at the measured rate: ${drain_forecast_s.toFixed(0)} s; at workers ÷ payment time it would be ${drain_forecast_nominal_s.toFixed(0)} s.`,
  ];
}

/** Of the orders, and of the time of the load: more, and the model is of another queue. */
const MOST_MISSING = 0.02;

/** Only of a run that is the study's own. */
function publishedRow(values: ParameterValues) {
  const { workload, workers } = publishedOrdersScaling();
  const same =
    values.rate === workload.arrivalsPerSecond &&
    values.seconds === workload.durationSeconds &&
    values.payment_seconds === workload.paymentSeconds &&
    values.payment_lines === 0 &&
    values.backlog_per_worker === 0;
  return same ? workers.find((row) => row.workers === values.workers) : undefined;
}

function contradictionOf(workers: number): string | undefined {
  const begin = `${workers} workers: `;
  return publishedOrdersScaling()
    .contradictions.find((text) => text.startsWith(begin))
    ?.slice(begin.length);
}
