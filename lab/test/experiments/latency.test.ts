import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { type Histogram, HistogramLogReader } from "hdr-histogram-js";
import t from "tap";
import type { SeenAnswer } from "../../src/experiments/answer-lines.ts";
import { LatencyLog, LatencyRecorder, newHistogram, readLatencyLog } from "../../src/experiments/latency.ts";

const directory = t.testdir();
let logs = 0;

const answer = (changes: Partial<SeenAnswer> = {}): SeenAnswer => ({
  at: 1_763_706_000_000,
  wallMs: 5,
  micros: 4200,
  status: 200,
  timedOut: false,
  step: "load",
  op: "get",
  ...changes,
});

/** Writes a log as a run does, an interval for each part, and reads it back. */
async function logOf(parts: readonly (readonly SeenAnswer[])[]): Promise<{ file: string; text: string }> {
  const file = join(directory, `${logs++}.hlog`);
  const log = new LatencyLog(file, new Date("2026-11-21T06:39:00.123Z"));
  const recorder = new LatencyRecorder();
  for (const [second, answers] of parts.entries()) {
    answers.forEach(recorder.record);
    log.write(recorder, second, second + 1);
  }
  await log.close();
  return { file, text: await readFile(file, "utf8") };
}

/** The smallest value that at least so many percent are not above. */
function exactPercentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] as number;
}

const PERCENTILES = [50, 90, 95, 99, 99.9, 100];

function percentilesOf(histogram: Histogram): number[] {
  return PERCENTILES.map((percent) => histogram.getValueAtPercentile(percent));
}

/** From a microsecond to an hour, each order of magnitude as likely as the next. */
const micros = fc
  .double({ min: 0, max: Math.log(3_600_000_000), noNaN: true })
  .map((power) => Math.round(Math.exp(power)));
const intervals = fc.array(fc.array(micros, { maxLength: 60 }), { minLength: 1, maxLength: 6 });

t.test("percentiles from the log are within 0.1 % of the exact ones", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      intervals.filter((parts) => parts.flat().length > 0),
      async (parts) => {
        const { text } = await logOf(parts.map((part) => part.map((each) => answer({ micros: each }))));
        const total = readLatencyLog(text).get("load/get") as Histogram;
        const values = parts.flat();
        t.equal(total.totalCount, values.length);
        for (const percent of PERCENTILES) {
          const exact = exactPercentile(values, percent);
          const error = Math.abs(total.getValueAtPercentile(percent) - exact) / exact;
          t.ok(error <= 0.001, `p${percent} of ${values.length} values: off by ${error * 100} %`);
        }
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

t.test("two runs merged are one run of both", async (t) => {
  await fc.assert(
    fc.asyncProperty(intervals, intervals, async (one, other) => {
      const answers = (parts: number[][]) =>
        parts.map((part) => part.map((each) => answer({ micros: each, op: each % 2 ? "get" : "put" })));
      const [a, b, both] = await Promise.all(
        [answers(one), answers(other), answers([...one, ...other])].map(async (parts) =>
          readLatencyLog((await logOf(parts)).text),
        ),
      );
      for (const tag of ["load/get", "load/put"]) {
        const merged = newHistogram();
        for (const run of [a, b]) {
          const histogram = run?.get(tag);
          if (histogram) merged.add(histogram);
        }
        const whole = both?.get(tag) ?? newHistogram();
        t.equal(merged.totalCount, whole.totalCount);
        t.same(percentilesOf(merged), percentilesOf(whole));
        t.equal(merged.mean, whole.mean);
      }
    }),
    { seed: 6, numRuns: 40 },
  );
});

t.test("a time-out counts with the time for which its client waited", async (t) => {
  const recorder = new LatencyRecorder();
  recorder.record(answer({ micros: 2000 }));
  recorder.record(answer({ status: 0, micros: 0, wallMs: 10_000 }));
  recorder.record(answer({ status: 503, micros: 3000, at: 1_763_706_001_000 }));
  const [series] = recorder.series;
  t.match(series, {
    answers: 3,
    errors: 2,
    unanswered: 1,
    wallMs: 10_010,
    latencyMs: 10_005,
    firstBegan: 1_763_706_000_000,
    lastEnded: 1_763_706_010_000,
  });
  const longest = series?.histogram.maxValue ?? 0;
  t.ok(Math.abs(longest - 10_000_000) <= 10_000, `${longest}`);
});

t.test("what is below the least or above an hour is counted as that", async (t) => {
  const recorder = new LatencyRecorder();
  recorder.record(answer({ micros: 0 }));
  recorder.record(answer({ micros: 2 * 3_600_000_000 }));
  const [series] = recorder.series;
  t.equal(series?.histogram.totalCount, 2);
  t.equal(series?.histogram.getValueAtPercentile(1), 1);
  t.ok((series?.histogram.maxValue ?? 0) <= 3_600_000_000 * 1.001);
});

t.test("HdrHistogram's own reader reads the log", async (t) => {
  const parts = [[100, 200, 300], [], [4000, 5000]];
  const { text } = await logOf(parts.map((part) => part.map((each) => answer({ micros: each }))));
  const reader = new HistogramLogReader(text);
  const read: Histogram[] = [];
  for (let next = reader.nextIntervalHistogram(); next; next = reader.nextIntervalHistogram()) {
    read.push(next as Histogram);
  }
  t.equal(reader.startTimeSec, Date.parse("2026-11-21T06:39:00.123Z") / 1000);
  t.same(
    read.map((each) => [each.tag, each.totalCount, each.startTimeStampMsec, each.endTimeStampMsec]),
    [
      ["load/get", 3, 1_795_243_140_123, 1_795_243_141_123],
      ["load/get", 2, 1_795_243_142_123, 1_795_243_143_123],
    ],
    "a second without answers has no line",
  );
  t.same(percentilesOf(read[0] as Histogram), [200, 300, 300, 300, 300, 300]);
});

t.test("a line that is none is rejected, and never read as another number", async (t) => {
  const { text } = await logOf([[answer(), answer({ op: "put" })]]);
  const [first, ...rest] = text.split("\n").filter((line) => line.startsWith("Tag="));
  const line = first as string;
  const encoded = line.split(",").at(-1) as string;
  t.equal(readLatencyLog(`${[line, ...rest].join("\n")}\n`).size, 2);
  for (const [what, damaged] of [
    ["no tag", line.replace("Tag=load/get,", "")],
    ["no time", line.replace(",0.000,", ",soon,")],
    ["no length", line.replace(",1.000,", ",long,")],
    ["no histogram", line.replace(encoded, "")],
    ["half a histogram", line.slice(0, -Math.ceil(encoded.length / 2))],
    ["another text in its place", line.replace(encoded, "rubbish")],
    ["another text of the same length", line.replace(encoded, "A".repeat(encoded.length))],
    ["half a line", line.slice(0, 12)],
  ] as const) {
    t.throws(() => readLatencyLog(damaged), Error, what);
  }
});

t.test("a script that makes each name new is stopped before it takes all memory", async (t) => {
  const recorder = new LatencyRecorder();
  for (let op = 0; op < 500; op += 1) recorder.record(answer({ op: `op-${op}` }));
  t.throws(() => recorder.record(answer({ op: "one-more" })), /more than 500/);
  recorder.record(answer({ op: "op-0" }));
  t.equal(recorder.series.length, 500);
});

t.test("an operation whose name would break the log is told when it is first seen", async (t) => {
  const recorder = new LatencyRecorder();
  for (const op of ["get,put", "get all", 'get"']) {
    t.throws(() => recorder.record(answer({ op })), { message: JSON.stringify(op) });
  }
  recorder.record(answer({ op: "GET/orders/{id}" }));
  t.equal(recorder.series.length, 1);
});

t.test("a log that cannot be written fails the run", async (t) => {
  const log = new LatencyLog(join(directory, "absent", "latency.hlog"), new Date());
  await t.rejects(log.close(), { code: "ENOENT" });
});
