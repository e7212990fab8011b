/** Samples a run once a second: what clients see, what the system shows, what each part takes of the machine. */

import { statfs } from "node:fs/promises";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../cli/lab-error.ts";
import type { LabState, LabStatus, PartUsage, Runtime } from "../runtimes/runtime.ts";
import { processTable, processTree } from "../util/processes.ts";
import type { GeneratorFigures } from "../verdicts/performance.ts";
import type { AnswerTail } from "./answer-lines.ts";
import type { Observed, Sample } from "./experiment.ts";
import type { LatencyLog, LatencyRecorder } from "./latency.ts";
import { type ScheduledStep, stepsAt } from "./load-schedule.ts";
import type { MetricsCsv, Row } from "./metrics-csv.ts";
import { CpuMeter, type PartFigures, UsageMeter } from "./usage-meter.ts";

export interface SamplerOptions {
  readonly runtime: Runtime;
  readonly observed: Pick<Observed, "sample">;
  /** What the system's samples are called. */
  readonly samples: readonly Sample[];
  readonly steps: readonly ScheduledStep[];
  readonly answers: AnswerTail;
  readonly latencies: LatencyRecorder;
  readonly log: LatencyLog;
  readonly csv: MetricsCsv;
  /** The directory that is written to, whose disk may run full. */
  readonly directory: string;
  /** The load generator's process while it runs. */
  readonly generatorPid: number;
  /** Told of each row; for progress. */
  onRow(row: Row): void;
  /** Told when the run can no longer be trusted: the lab has stopped by itself, the disk is full, a sample failed. */
  onTrouble(error: Error): void;
}

export interface Sampler {
  /** Columns of later rows say which stage they belong to. */
  stage: "load" | "settle";
  /** Takes a last sample and stops. Rejects with what went wrong while sampling. */
  stop(): Promise<void>;
  /** Of the measured steps. */
  figures(): SampledFigures;
}

export interface SampledFigures {
  readonly parts: Readonly<Record<string, PartFigures>>;
  readonly generator: PartFigures;
  /** By step, and of all measured ones under "". */
  readonly generatorCpu: Readonly<Record<string, GeneratorFigures>>;
  readonly highest: Readonly<Record<string, number>>;
}

const PERIOD_MS = 1000;
/** Asking every part whether it answers costs more than a sample. */
const STATUS_EVERY = 3;
const LEAST_FREE_MB = 64;
/** A lab that is stopping answers requests no longer. */
const gone: readonly LabState[] = ["stopping", "stopped", "failed"];

export function startSampler(options: SamplerOptions): Sampler {
  const { answers, latencies, observed, runtime, samples, steps } = options;
  const stopping = new AbortController();
  const began = performance.now();
  const usage = new UsageMeter();
  const generator = new UsageMeter();
  const generatorCpu = new Map<string, CpuMeter>();
  const highest: Record<string, number> = {};
  let before = { at: began, answers: 0, busy: machineBusy() };
  let taken = 0;

  const sampler: Sampler = {
    stage: "load",
    async stop() {
      stopping.abort();
      await loop;
    },
    figures: () => ({
      parts: usage.figures(),
      generator: generator.figures().k6 ?? noFigures,
      generatorCpu: Object.fromEntries(
        [...generatorCpu].map(([step, meter]) => [step, { meanCpu: meter.mean(), peakCpu: meter.peak() }]),
      ),
      highest,
    }),
  };

  async function sample(): Promise<void> {
    taken += 1;
    const [seen, parts, table, counted] = await Promise.all([
      observed.sample().catch(() => ({}) as Record<string, number>),
      runtime.usage().catch(() => [] as PartUsage[]),
      processTable(),
      // The time of this count, which a slow sample may not blur.
      answers.read(latencies.record).then(() => ({ at: performance.now(), answers: answers.answers })),
      taken % STATUS_EVERY === 0 ? checkLab(options) : undefined,
      checkDisk(options),
    ]);
    const now = performance.now();
    const underWay =
      sampler.stage === "load" ? stepsAt(steps, sinceFirst(latencies) ?? (now - began) / 1000) : [];
    const measured = underWay.some(({ kind }) => kind === "measured");
    usage.add(parts, measured);
    const k6 = usageOf(processTree(table, options.generatorPid));
    if (k6) {
      generator.add([k6], measured);
      const meters = [...underWay.map(({ name }) => name), ...(measured ? [""] : [])];
      for (const name of meters) meterOf(generatorCpu, name).add(k6.cpu_seconds);
    }
    if (measured || sampler.stage === "settle") {
      for (const { name, cumulative } of samples) {
        const value = seen[name];
        if (value !== undefined && !cumulative) highest[name] = Math.max(highest[name] ?? 0, value);
      }
    }
    const busy = machineBusy();
    options.log.write(latencies, (before.at - began) / 1000, (counted.at - began) / 1000);
    const row: Row = {
      time: new Date().toISOString(),
      elapsed_s: (now - began) / 1000,
      stage: sampler.stage,
      step: underWay.map(({ name }) => name).join("+"),
      answers: counted.answers,
      errors: answers.errors,
      answers_per_s: perSecond(counted.answers - before.answers, counted.at - before.at),
      // All of its columns in each row, the first one above all: that one names them for the whole file.
      ...Object.fromEntries(samples.map(({ name }) => [name, seen[name]])),
      machine_cpu_share: shareOf(before.busy, busy),
      generator_cpu_s: k6?.cpu_seconds ?? 0,
      generator_memory_mb: k6?.memory_mb ?? 0,
      ...partColumns(parts),
    };
    before = { ...counted, busy };
    options.csv.write(row);
    options.onRow(row);
  }

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await sample();
      // The next whole period; those that a slow sample has missed are left out, not caught up with.
      const into = (performance.now() - began) % PERIOD_MS;
      await sleep(PERIOD_MS - into, undefined, { signal: stopping.signal }).catch(() => {});
    }
    await sample();
  })();
  // Told at once, since a run without samples is none, and again by `stop`.
  loop.catch(options.onTrouble);
  return sampler;
}

function meterOf(meters: Map<string, CpuMeter>, name: string): CpuMeter {
  const meter = meters.get(name) ?? new CpuMeter();
  meters.set(name, meter);
  return meter;
}

async function checkLab({ runtime, onTrouble }: SamplerOptions): Promise<void> {
  const status = await runtime.status().catch(() => undefined);
  if (status && gone.includes(status.state)) onTrouble(labGone(status));
}

/** A disk that runs full stops nobody: k6 goes on and its answers are lost. So the run ends before. */
async function checkDisk({ directory }: SamplerOptions): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = (bavail * bsize) / 2 ** 20;
  if (free < LEAST_FREE_MB)
    throw diskFull(directory, `${Math.floor(free)} MB are left on it; ${LEAST_FREE_MB} are the least.`);
}

export function diskFull(directory: string, reason: string, cause?: unknown): LabError {
  return new LabError("PREREQUISITE_MISSING", "The disk that results are written to is full.", {
    reason: `${reason} It holds ${directory.replace(/\.unfinished$/, "")}.`,
    remedy: "Make room there; old bundles below results/ may be removed.",
    cause,
  });
}

function labGone({ failure }: LabStatus): LabError {
  return new LabError("NOT_RUNNING", "The lab stopped in the middle of the run.", {
    reason: failure?.what ?? "Somebody stopped it.",
    remedy: 'See "make status"; "make up" starts it again.',
    detail: failure?.log_tail,
  });
}

/** Seconds since the first request: k6 takes its time to begin. Undefined before it. */
function sinceFirst({ series }: LatencyRecorder): number | undefined {
  const first = Math.min(...series.map(({ firstBegan }) => firstBegan));
  return Number.isFinite(first) ? (Date.now() - first) / 1000 : undefined;
}

/** To one decimal; too short a time, as before the first and the last sample, says nothing. */
function perSecond(count: number, milliseconds: number): number | undefined {
  return milliseconds < PERIOD_MS / 10 ? undefined : Math.round((count / milliseconds) * 10_000) / 10;
}

/** Cumulative counters and resident memory of each part; what cannot be had, or does not run, is empty. */
function partColumns(parts: readonly PartUsage[]): Row {
  return Object.fromEntries(
    parts.flatMap(({ name, ...usage }) => {
      const key = name.replaceAll("-", "_");
      return [
        [`${key}_cpu_s`, usage.cpu_seconds ?? undefined],
        [`${key}_memory_mb`, usage.memory_mb ?? undefined],
        [`${key}_network_rx_bytes`, usage.network_rx_bytes ?? undefined],
        [`${key}_network_tx_bytes`, usage.network_tx_bytes ?? undefined],
        [`${key}_throttled_s`, usage.throttled_seconds ?? undefined],
      ];
    }),
  );
}

type ProcessRow = ReturnType<typeof processTree>[number];

function usageOf(tree: readonly ProcessRow[]) {
  if (tree.length === 0) return undefined;
  return {
    name: "k6",
    cpu_seconds: tree.reduce((sum, row) => sum + row.cpuSeconds, 0),
    memory_mb: tree.reduce((sum, { rss }) => sum + rss, 0) / 2 ** 20,
    network_rx_bytes: null,
    network_tx_bytes: null,
    throttled_seconds: null,
  };
}

const noFigures: PartFigures = {
  cpu_s: null,
  memory_mb_max: null,
  network_rx_mb: null,
  network_tx_mb: null,
  throttled_s: null,
};

/** Milliseconds of all processors: at work, and at all. */
function machineBusy(): { readonly busy: number; readonly all: number } {
  let busy = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, all: busy + idle };
}

function shareOf(from: { busy: number; all: number }, to: { busy: number; all: number }): number | undefined {
  return to.all > from.all ? (to.busy - from.busy) / (to.all - from.all) : undefined;
}
