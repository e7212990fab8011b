/**
 * Samples a run once a second from the moment at which the load begins: what clients see, what the system shows, what each
 * part takes of the machine.
 */

import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabState, LabStatus, PartUsage, Runtime } from "../runtimes/runtime.ts";
import { processTable } from "../util/processes.ts";
import type { AnswerTail } from "./answer-lines.ts";
import type { Observed, Sample } from "./experiment.ts";
import type { LatencyLog, LatencyRecorder } from "./latency.ts";
import { type ScheduledStep, stepsAt } from "./load-schedule.ts";
import type { MetricsCsv, Row } from "./metrics-csv.ts";
import { generatorUsage, partColumns } from "./sample-row.ts";
import { type SampledFigures, StepMeters } from "./step-meters.ts";
import { checkDisk, labGone } from "./trouble.ts";

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
  /** Told once, as soon as it is known: when the load began, in milliseconds since the epoch. */
  onLoad(began: number): void;
  /** Told of each row; for progress. */
  onRow(row: Row): void;
  /** Told when the run can no longer be trusted: the lab has stopped by itself, the disk is full, a sample failed. */
  onTrouble(error: Error): void;
}

export interface Sampler {
  /** Columns of later rows say which stage they belong to; what is taken in the last one is not measured. */
  stage: "load" | "settle" | "finish";
  /** Takes a last sample and stops. Rejects with what went wrong while sampling. */
  stop(): Promise<void>;
  figures(): SampledFigures;
}

const PERIOD_MS = 1000;
/** Before the load begins: k6 takes from half a second to several to make its users. */
const BEFORE_MS = 50;
/** A system that does not answer, as while it is frozen by a fault, must not hold up the other figures. */
const SAMPLE_MS = 900;
/** Asking every part whether it answers costs more than a sample. */
const STATUS_EVERY = 3;
/** A lab that is stopping answers requests no longer. */
const gone: readonly LabState[] = ["stopping", "stopped", "failed"];

export function startSampler(options: SamplerOptions): Sampler {
  const { answers, latencies, observed, runtime, samples, steps } = options;
  const stopping = new AbortController();
  const meters = new StepMeters(samples);
  /** Of `performance.now()`, when the load began. */
  let began = performance.now();
  let before = { at: began, answers: 0, busy: machineBusy() };
  let taken = 0;

  const sampler: Sampler = {
    stage: "load",
    async stop() {
      stopping.abort();
      await loop;
    },
    figures: () => meters.figures(),
  };

  async function sample(): Promise<void> {
    taken += 1;
    const [seen, parts, generator, counted] = await Promise.all([
      within(observed.sample(), SAMPLE_MS),
      // The first reading names the parts for the whole file: without it there is no run.
      taken === 1 ? runtime.usage() : runtime.usage().catch(() => [] as PartUsage[]),
      processTable().then((table) => ({
        at: performance.now(),
        usage: generatorUsage(table, options.generatorPid),
      })),
      // The time of this count, which a slow sample may not blur.
      answers.read(latencies.record).then(() => ({ at: performance.now(), answers: answers.answers })),
      taken % STATUS_EVERY === 0 ? checkLab(options) : undefined,
      checkDisk(options.directory),
    ]);
    const at = (generator.at - began) / 1000;
    const underWay = (elapsed: number) => (sampler.stage === "load" ? stepsAt(steps, elapsed) : []);
    // Half a second ago, in the middle between this reading and the one before.
    const since = underWay(meters.middle(at));
    meters.add({
      at,
      steps: since,
      settling: sampler.stage === "settle",
      parts,
      generator: generator.usage,
      seen,
    });
    const busy = machineBusy();
    options.log.write(latencies, (before.at - began) / 1000, (counted.at - began) / 1000);
    const row: Row = {
      time: new Date().toISOString(),
      elapsed_s: (counted.at - began) / 1000,
      stage: sampler.stage,
      step: underWay((counted.at - began) / 1000)
        .map(({ name }) => name)
        .join("+"),
      answers: counted.answers,
      errors: answers.errors,
      answers_per_s: perSecond(counted.answers - before.answers, counted.at - before.at),
      // All of its columns in each row, the first one above all: that one names them for the whole file.
      ...Object.fromEntries(samples.map(({ name }) => [name, seen[name]])),
      machine_cpu_share: shareOf(before.busy, busy),
      generator_cpu_s: generator.usage?.cpu_seconds ?? 0,
      generator_memory_mb: generator.usage?.memory_mb ?? 0,
      ...partColumns(parts),
    };
    before = { ...counted, busy };
    options.csv.write(row);
    options.onRow(row);
  }

  async function untilLoad(): Promise<void> {
    while (!stopping.signal.aborted && answers.loadBegan === undefined) {
      await sleep(BEFORE_MS, undefined, { signal: stopping.signal }).catch(() => {});
      await answers.read(latencies.record);
    }
    const since = Date.now() - (answers.loadBegan ?? Date.now());
    began = performance.now() - since;
    before = { ...before, at: began };
    if (answers.loadBegan !== undefined) options.onLoad(answers.loadBegan);
  }

  const loop = (async () => {
    await untilLoad();
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

async function checkLab({ runtime, onTrouble }: SamplerOptions): Promise<void> {
  const status: LabStatus | undefined = await runtime.status().catch(() => undefined);
  if (status && gone.includes(status.state)) onTrouble(labGone(status));
}

/** Nothing, when it fails or takes too long. */
async function within(sample: Promise<Record<string, number>>, ms: number): Promise<Record<string, number>> {
  const over = new AbortController();
  const late = sleep(ms, {}, { signal: over.signal }).catch(() => ({}));
  try {
    return await Promise.race([sample.catch(() => ({})), late]);
  } finally {
    over.abort();
  }
}

/** To one decimal; too short a time, as before the first and the last sample, says nothing. */
function perSecond(count: number, milliseconds: number): number | undefined {
  return milliseconds < PERIOD_MS / 10 ? undefined : Math.round((count / milliseconds) * 10_000) / 10;
}

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
