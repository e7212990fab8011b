/**
 * The other verdict: whether a run's figures may be used at all. An invalid run is not a slow run; its figures say
 * something about the generator, not about the system. A threshold that was crossed is the opposite: the figures are good,
 * and the system missed what the script asks of it.
 */

import type { Arrivals } from "../experiments/experiment.ts";
import { meanUsers } from "../experiments/load-schedule.ts";
import { littlesLaw } from "../models/littles-law.ts";

export interface Performance {
  readonly outcome: "valid" | "INVALID";
  readonly reasons: readonly string[];
}

/** What one step of the load came to, as far as it says whether its figures can be trusted. */
export interface LoadFigures extends GeneratorFigures {
  readonly arrivals: Arrivals;
  readonly seconds: number;
  /** From the first request to the last answer, which may come after the step's end. */
  readonly spannedSeconds: number;
  /** Requests that k6 says it made; each has to have its line. */
  readonly requests: number;
  /** Iterations that were begun and ended. */
  readonly iterations: number;
  /** Iterations that found no virtual user free. */
  readonly droppedIterations: number;
  /** Answers whose lines could be read: figures rest on them alone. */
  readonly answers: number;
  /** Mean seconds of a request, from sending it to the last byte of its answer. */
  readonly latencySeconds: number;
  /** Mean number of iterations that were under way, by the clock on the wall of the load generator. */
  readonly underWay: number;
}

/** What the load generator took of the machine meanwhile. */
export interface GeneratorFigures {
  /** Mean share of the machine's processors, 0 to 1; undefined where it is not known. */
  readonly meanCpu?: number | undefined;
  /** The highest share over five seconds. */
  readonly peakCpu?: number | undefined;
}

/** Of the rate that was asked for. */
const LEAST_OF_TARGET = 0.99;
/** Of all processors: beyond it the generator waits for itself, and its latencies are its own. */
const MOST_GENERATOR_CPU = 0.8;
/** What a shared machine may hold up each iteration by, in seconds, beside the 10 %. */
const MOST_DELAY = 0.003;

/** Whether the figures of one step may be used. */
export function judgeStep(figures: LoadFigures): Performance {
  const { answers, droppedIterations, arrivals, iterations, seconds } = figures;
  const reasons: string[] = [];
  if (answers === 0) reasons.push("there was no answer at all");
  else if (answers < figures.requests) {
    reasons.push(
      `${figures.requests - answers} of ${figures.requests} requests have no line that could be read`,
    );
  }
  if (droppedIterations > 0) reasons.push(`${droppedIterations} iterations were dropped`);
  if (arrivals.model === "open" && iterations / seconds < arrivals.rate * LEAST_OF_TARGET) {
    const achieved = (iterations / seconds).toFixed(1);
    reasons.push(
      `${achieved} iterations/s were achieved of ${arrivals.rate}/s asked for (99 % is the least)`,
    );
  }
  reasons.push(...generatorSaturated(figures));
  if (answers > 0) reasons.push(...checkLittlesLaw(figures));
  return { outcome: reasons.length === 0 ? "valid" : "INVALID", reasons };
}

/** What is wrong with a run as a whole. */
export interface WholeRun {
  /** Lines of the load generator that say nothing. */
  readonly unreadableLines?: number;
  /** Whether nothing of an earlier run was on its way when the load began. */
  readonly wasEmpty?: boolean;
}

/**
 * The whole run's: a run of one step is that step. Of several, such as the rates of a sweep, those that are INVALID are named
 * and left out, and the run is INVALID when none is left.
 */
export function judgeRun(
  steps: readonly { readonly name: string; readonly performance: Performance }[],
  { unreadableLines = 0, wasEmpty = true }: WholeRun = {},
): Performance {
  const whole = [
    // They could be of any step.
    ...(unreadableLines > 0 ? [`${unreadableLines} lines of the load generator cannot be read`] : []),
    ...(wasEmpty ? [] : ["earlier work was still under way when the load began"]),
  ];
  if (whole.length > 0) return { outcome: "INVALID", reasons: whole };
  if (steps.length === 1 && steps[0]) return steps[0].performance;
  const reasons = steps.flatMap(({ name, performance }) =>
    performance.reasons.map((reason) => `${name}: ${reason}`),
  );
  const valid = steps.some(({ performance }) => performance.outcome === "valid");
  return { outcome: valid ? "valid" : "INVALID", reasons };
}

function generatorSaturated({ meanCpu, peakCpu }: GeneratorFigures): string[] {
  const most = Math.max(meanCpu ?? 0, peakCpu ?? 0);
  if (most <= MOST_GENERATOR_CPU) return [];
  return [`the load generator took ${Math.round(most * 100)} % of all processors (80 % is the most)`];
}

/**
 * Users = rate × (latency + think time), within 10 %. In a closed model the users are what was asked for; after the step they
 * leave one by one with their last answers, so that over the time up to the last of these they were fewer, by an amount that is
 * known only to lie between none and all. In an open one they are counted by the clock on the wall: more of them than
 * requests account for means that iterations waited for the generator, not for the system.
 */
function checkLittlesLaw({
  arrivals,
  seconds,
  iterations,
  spannedSeconds,
  latencySeconds,
  underWay,
}: LoadFigures): string[] {
  const closed = arrivals.model === "closed";
  const thinkSeconds = closed ? arrivals.think_seconds : 0;
  const rate = iterations / spannedSeconds;
  const within = (least: number, most: number) =>
    Math.min(most, Math.max(least, rate * (latencySeconds + thinkSeconds)));
  const asked = meanUsers({ arrivals, seconds });
  const users = closed ? within(asked * (seconds / spannedSeconds), asked) : underWay;
  const { expected, holds } = littlesLaw({ users, rate, latencySeconds, thinkSeconds });
  if (holds || Math.abs(expected - users) <= rate * MOST_DELAY) return [];
  return [
    `Little's law does not hold within 10 %: ${users.toFixed(1)} users ${closed ? "" : "under way "}are not ` +
      `${rate.toFixed(1)}/s × ${(latencySeconds + thinkSeconds).toFixed(4)} s = ${expected.toFixed(1)}`,
  ];
}
