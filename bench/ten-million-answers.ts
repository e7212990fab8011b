/**
 * What the experiment engine takes of a run of ten million requests: answers are made up by another process, and read,
 * counted and filed as in a run: sampled once a second, latencies by histogram, the answers compressed, all files digested.
 * Goals: under 200 MB resident at any time; while the load goes on, under 5 % of one core at 6,000 requests a second,
 * which is as far as k6 tells honest tails on two cores. How many: ANSWERS=10000000.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AnswerTail } from "../lab/src/experiments/answer-lines.ts";
import { Bundle } from "../lab/src/experiments/bundle.ts";
import { LatencyLog, LatencyRecorder } from "../lab/src/experiments/latency.ts";

const ANSWERS = Number(process.env.ANSWERS ?? 10_000_000);
const RATE = 6000;
const MOST_MB = 200;
const MOST_SHARE = 0.05;

const root = await mkdtemp(join(tmpdir(), "parallax-bench-"));
try {
  const bundle = await Bundle.begin(root, ["local", "synthetic", "stream"], new Date());
  const file = bundle.path("answers.jsonl");
  const writer = spawn(
    process.execPath,
    [join(import.meta.dirname, "servers", "answers.ts"), file, String(ANSWERS)],
    {
      stdio: "inherit",
    },
  );
  const ended = once(writer, "close") as Promise<[number | null]>;
  let writing = true;
  void ended.then(() => {
    writing = false;
  });

  const answers = new AnswerTail(file);
  const latencies = new LatencyRecorder();
  const log = new LatencyLog(bundle.path("latency.hlog"), new Date());
  let most = 0;
  const seen = () => {
    most = Math.max(most, process.memoryUsage().rss / 2 ** 20);
  };
  const began = performance.now();
  const before = process.cpuUsage();
  let samples = 0;
  while (writing) {
    const from = (performance.now() - began) / 1000;
    await Promise.race([sleep(1000), ended]);
    await answers.read(latencies.record);
    log.write(latencies, from, (performance.now() - began) / 1000);
    samples += 1;
    seen();
  }
  const [code] = await ended;
  await answers.read(latencies.record);
  log.write(latencies, 0, (performance.now() - began) / 1000);
  await log.close();
  const reading = spent(before);
  seen();

  const filing = process.cpuUsage();
  const watch = setInterval(seen, 200);
  await bundle.compress("answers.jsonl");
  await bundle.finish();
  clearInterval(watch);
  seen();

  const [series] = latencies.series;
  const perMillion = reading / (answers.answers / 1e6);
  const share = (perMillion * RATE) / 1e6;
  console.log(
    `${answers.answers} answers in ${samples} samples, ${answers.errors} errors, ${answers.unreadable} unreadable`,
  );
  console.log(
    `p50 ${micros(series?.histogram.getValueAtPercentile(50))} ms, p99 ${micros(series?.histogram.getValueAtPercentile(99))} ms`,
  );
  console.log(
    `reading: ${reading.toFixed(2)} s of processor time, ${perMillion.toFixed(2)} s a million answers`,
  );
  console.log(
    `that is ${(share * 100).toFixed(2)} % of one core at ${RATE} requests a second (goal: under ${MOST_SHARE * 100} %)`,
  );
  console.log(`filing: ${spent(filing).toFixed(2)} s of processor time, after the load`);
  console.log(`most resident memory: ${most.toFixed(0)} MB (goal: under ${MOST_MB} MB)`);
  const whole = code === 0 && answers.answers === ANSWERS && answers.unreadable === 0;
  process.exitCode = whole && most < MOST_MB && share < MOST_SHARE ? 0 : 1;
} finally {
  await rm(root, { recursive: true, force: true });
}

function spent(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

function micros(value = Number.NaN): string {
  return (value / 1000).toFixed(2);
}
