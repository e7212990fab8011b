/**
 * Latencies of a run: HDR histograms by step and operation, which can be merged over runs and machines without losing
 * more than 0.1 % of precision. Kept as a histogram log, the format of HdrHistogram's own tools: one line a second, step and
 * operation, so that a timeline can be drawn from it too. Values are microseconds.
 *
 * Source: the answers that k6 writes, a line each; not k6's own trends, which keep every value in k6's memory.
 */

import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";
import type { SeenAnswer } from "./answer-lines.ts";
import { BundleWriter } from "./bundle-writer.ts";
import { type ExpectedStatuses, isError, noneExpected } from "./expected-statuses.ts";

const SIGNIFICANT_DIGITS = 3;
/** One hour: above every time-out. What is longer is counted as this. */
const LONGEST_MICROS = 3_600_000_000;
/** Scripts name a handful of steps and operations; a defect that made each name new must not take all memory. */
const MOST_SERIES = 500;
/** What a tag of the log may be: fields end at a comma, and some readers' at a space. */
const TAG = /^[^\s,"]+$/;

export interface LatencySeries {
  readonly step: string;
  readonly op: string;
  /** Of all its requests, also of those that failed: a time-out counts with the time that its client waited. */
  readonly histogram: Histogram;
  answers: number;
  errors: number;
  /** No answer at all, such as a time-out. */
  unanswered: number;
  /** Of these, those whose client hung up. */
  timedOut: number;
  /** Sum of the time on the clients' clock, in milliseconds. */
  wallMs: number;
  /** Sum of the latencies, in milliseconds. */
  latencyMs: number;
  /** Milliseconds since the epoch. */
  firstBegan: number;
  lastEnded: number;
}

export function newHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MICROS,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
  });
}

export class LatencyRecorder {
  readonly #series = new Map<string, LatencySeries & { readonly interval: Histogram }>();
  #last: (LatencySeries & { readonly interval: Histogram }) | undefined;
  readonly #expected: ExpectedStatuses;

  constructor(expected: ExpectedStatuses = noneExpected) {
    this.#expected = expected;
  }

  /** By step and operation, in the order of their first answers. */
  get series(): readonly LatencySeries[] {
    return [...this.#series.values()];
  }

  readonly record = (answer: SeenAnswer): void => {
    const { at, wallMs, micros, status, timedOut, step, op } = answer;
    const last = this.#last;
    const series = last && last.step === step && last.op === op ? last : this.#find(step, op);
    series.answers += 1;
    if (isError(answer, this.#expected)) series.errors += 1;
    series.wallMs += wallMs;
    if (at < series.firstBegan) series.firstBegan = at;
    if (at + wallMs > series.lastEnded) series.lastEnded = at + wallMs;
    if (status === 0) series.unanswered += 1;
    if (timedOut) series.timedOut += 1;
    // Without an answer, the time for which its user was held up: to leave time-outs out would hide the worst of all.
    const latency = status === 0 ? wallMs * 1000 : micros;
    series.latencyMs += latency / 1000;
    const value = Math.min(Math.max(latency, 1), LONGEST_MICROS);
    series.histogram.recordValue(value);
    series.interval.recordValue(value);
  };

  /** What was recorded since the last call, a histogram for each series that had answers; begins the next interval. */
  takeInterval(take: (step: string, op: string, histogram: Histogram) => void): void {
    for (const { step, op, interval } of this.#series.values()) {
      if (interval.totalCount === 0) continue;
      take(step, op, interval);
      interval.reset();
    }
  }

  #find(step: string, op: string) {
    const key = `${step}/${op}`;
    let series = this.#series.get(key);
    if (!series) {
      if (this.#series.size === MOST_SERIES)
        throw new Error(`The script names more than ${MOST_SERIES} steps and operations.`);
      if (!TAG.test(key)) throw new Error(`The script names an operation ${JSON.stringify(op)}: no word.`);
      series = {
        step,
        op,
        histogram: newHistogram(),
        interval: newHistogram(),
        answers: 0,
        errors: 0,
        unanswered: 0,
        timedOut: 0,
        wallMs: 0,
        latencyMs: 0,
        firstBegan: Number.POSITIVE_INFINITY,
        lastEnded: 0,
      };
      this.#series.set(key, series);
    }
    this.#last = series;
    return series;
  }
}

/** Writes `latency.hlog`. Tags are `<step>/<operation>`; times are seconds since the load began. */
export class LatencyLog {
  readonly #file: BundleWriter;

  /** @param began of the load; where it is not known yet, `begin` tells it */
  constructor(file: string, began?: Date) {
    this.#file = new BundleWriter(file);
    if (began) this.begin(began);
  }

  /** Before the first `write`: when the load began. */
  begin(began: Date): void {
    const seconds = (began.getTime() / 1000).toFixed(3);
    this.#file.write(
      [
        "#[Histogram log format version 1.3]",
        `#[StartTime: ${seconds} (seconds since epoch), ${began.toISOString()}]`,
        "# Latencies in microseconds, by answer, in the second in which it was read.",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
        "",
      ].join("\n"),
    );
  }

  /** @param from seconds since the load began */
  write(recorder: LatencyRecorder, from: number, to: number): void {
    recorder.takeInterval((step, op, histogram) => {
      const line = [
        `Tag=${step}/${op}`,
        from.toFixed(3),
        (to - from).toFixed(3),
        histogram.maxValue.toFixed(3),
        encodeIntoCompressedBase64(histogram),
      ];
      this.#file.write(`${line.join(",")}\n`);
    });
  }

  /** @throws what went wrong with writing, a full disk for example */
  async close(): Promise<void> {
    await this.#file.close();
  }
}

/**
 * The whole run's histograms of a histogram log, by tag.
 * @throws Error for a line that is none
 */
export function readLatencyLog(text: string): Map<string, Histogram> {
  const totals = new Map<string, Histogram>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#") || line.startsWith('"')) continue;
    const [tag, from, length, , encoded] = line.split(",");
    if (
      !tag?.startsWith("Tag=") ||
      !Number.isFinite(Number(from)) ||
      !Number.isFinite(Number(length)) ||
      !encoded
    )
      throw new Error(`no line of a histogram log: ${line.slice(0, 80)}`);
    const name = tag.slice("Tag=".length);
    const total = totals.get(name) ?? newHistogram();
    total.add(decodeFromCompressedBase64(encoded));
    totals.set(name, total);
  }
  return totals;
}
