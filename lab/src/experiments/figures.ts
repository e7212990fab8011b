/** What a run came to, in numbers: by step of the load, by part of the lab, and of the load generator. */

import type { Histogram } from "hdr-histogram-js";
import { type GeneratorFigures, judgeStep, type Performance } from "../verdicts/performance.ts";
import { type K6Summary, metric } from "./k6-run.ts";
import { type LatencySeries, newHistogram } from "./latency.ts";
import type { ScheduledStep } from "./load-schedule.ts";
import type { PartFigures } from "./usage-meter.ts";

/** Milliseconds. */
export interface LatencyFigures {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface OperationFigures {
  readonly answers: number;
  readonly errors: number;
  readonly unanswered: number;
  /** Of these, those whose client hung up. */
  readonly timed_out?: number | undefined;
  readonly latency_ms: LatencyFigures | null;
}

export interface StepFigures extends OperationFigures {
  readonly step: ScheduledStep;
  readonly iterations: number;
  readonly dropped_iterations: number;
  /** Iterations a second, of those that were begun and came to their end. */
  readonly achieved_rate: number;
  /** Answers a second, from the first request to the last answer: lower than what was begun where a backlog grew. */
  readonly answered_rate: number;
  readonly operations: Readonly<Record<string, OperationFigures>>;
  readonly performance: Performance;
}

export interface RunFigures {
  readonly steps: readonly StepFigures[];
  /** By part name, during the measured steps and the settling after them: work that is put off is work all the same. */
  readonly parts: Readonly<Record<string, PartFigures>>;
  readonly generator: PartFigures & {
    readonly cpu_share: number | null;
    readonly cpu_share_peak: number | null;
  };
  /** The highest value of each of the system's samples. */
  readonly highest: Readonly<Record<string, number>>;
  /** What the experiment itself worked out, by name; absent where it does not. */
  readonly findings?: Readonly<Record<string, number>> | undefined;
}

export function stepFigures(
  step: ScheduledStep,
  recorded: readonly LatencySeries[],
  summary: K6Summary,
  generator: GeneratorFigures,
): StepFigures {
  const series = recorded.filter((each) => each.step === step.name);
  const whole = sumOf(series);
  const iterations = metric(summary, `iterations{scenario:${step.name}}`, "count");
  const dropped = metric(summary, `dropped_iterations{scenario:${step.name}}`, "count");
  const began = Math.min(...series.map(({ firstBegan }) => firstBegan));
  const ended = Math.max(...series.map(({ lastEnded }) => lastEnded));
  const requests = metric(summary, `http_reqs{scenario:${step.name}}`, "count");
  const spanned = series.length > 0 ? Math.max(step.seconds, (ended - began) / 1000) : step.seconds;
  return {
    step,
    iterations,
    dropped_iterations: dropped,
    achieved_rate: iterations / step.seconds,
    answered_rate: (whole.answers - whole.unanswered) / spanned,
    ...operationFigures(whole),
    operations: Object.fromEntries(series.map((each) => [each.op, operationFigures(each)])),
    performance: judgeStep({
      ...generator,
      arrivals: step.arrivals,
      seconds: step.seconds,
      spannedSeconds: spanned,
      iterations,
      requests,
      droppedIterations: dropped,
      answers: whole.answers,
      // An iteration may be several requests: its latency is theirs together.
      latencySeconds: iterations > 0 ? whole.latencySeconds / iterations : 0,
      underWay: whole.wallMs / 1000 / spanned,
    }),
  };
}

function sumOf(series: readonly LatencySeries[]) {
  const histogram = newHistogram();
  const sum = { histogram, answers: 0, errors: 0, unanswered: 0, timedOut: 0, wallMs: 0, latencySeconds: 0 };
  for (const each of series) {
    histogram.add(each.histogram);
    sum.answers += each.answers;
    sum.errors += each.errors;
    sum.unanswered += each.unanswered;
    sum.timedOut += each.timedOut;
    sum.wallMs += each.wallMs;
    sum.latencySeconds += each.latencyMs / 1000;
  }
  return sum;
}

function operationFigures(
  from: Pick<LatencySeries, "answers" | "errors" | "unanswered" | "timedOut" | "histogram">,
): OperationFigures {
  return {
    answers: from.answers,
    errors: from.errors,
    unanswered: from.unanswered,
    timed_out: from.timedOut,
    latency_ms: latencyFigures(from.histogram),
  };
}

/** Null without a single value. */
export function latencyFigures(histogram: Histogram): LatencyFigures | null {
  if (histogram.totalCount === 0) return null;
  // A bucket's value is its upper end, which may lie above the highest value itself.
  const at = (percentile: number) =>
    Math.min(histogram.getValueAtPercentile(percentile), histogram.maxValue) / 1000;
  return {
    mean: histogram.mean / 1000,
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue / 1000,
  };
}

/**
 * Figures as metrics by name, for comparing: `latency_p99_ms`, `achieved_rate`, `orders_processor_cpu_s_per_1000`. In a run of
 * several measured steps each step's own begin with its name: `r200/latency_p99_ms`. Steps whose figures are INVALID are
 * left out; what cannot be told apart by step (what parts took, how deep queues were) is there only when all are valid.
 */
export function metricsOf(figures: RunFigures): Record<string, number> {
  const measured = figures.steps.filter(({ step }) => step.kind === "measured");
  const valid = measured.filter(({ performance }) => performance.outcome === "valid");
  const metrics: Record<string, number> = {};
  for (const each of valid) addStep(metrics, measured.length > 1 ? `${each.step.name}/` : "", each);
  if (valid.length === measured.length) addShared(metrics, figures, measured);
  return metrics;
}

function addStep(metrics: Record<string, number>, prefix: string, step: StepFigures): void {
  metrics[`${prefix}achieved_rate`] = step.achieved_rate;
  metrics[`${prefix}answered_rate`] = step.answered_rate;
  metrics[`${prefix}error_share`] = step.answers > 0 ? step.errors / step.answers : 1;
  addLatencies(metrics, prefix, step.latency_ms);
  const operations = Object.entries(step.operations);
  if (operations.length < 2) return;
  for (const [op, { latency_ms }] of operations) addLatencies(metrics, `${prefix}${op}/`, latency_ms);
}

function addShared(
  metrics: Record<string, number>,
  { parts, highest, findings }: RunFigures,
  measured: readonly StepFigures[],
): void {
  Object.assign(metrics, findings);
  const answers = measured.reduce((sum, each) => sum + each.answers, 0);
  for (const [part, { cpu_s, memory_mb_max, throttled_s }] of Object.entries(parts)) {
    const name = part.replaceAll("-", "_");
    if (answers > 0 && cpu_s !== null) metrics[`${name}_cpu_s_per_1000`] = (cpu_s / answers) * 1000;
    if (memory_mb_max !== null) metrics[`${name}_memory_mb`] = memory_mb_max;
    if (throttled_s !== null) metrics[`${name}_throttled_s`] = throttled_s;
  }
  for (const [name, value] of Object.entries(highest)) metrics[`${name}_max`] = value;
}

function addLatencies(
  metrics: Record<string, number>,
  prefix: string,
  latencies: LatencyFigures | null,
): void {
  for (const [name, value] of Object.entries(latencies ?? {})) {
    // The longest of all is one answer's, not the run's.
    if (name !== "max") metrics[`${prefix}latency_${name}_ms`] = value;
  }
}
