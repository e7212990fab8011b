/** Samples a run once a second: what clients see, what the system shows, what each part takes of the machine. */

import { setTimeout as sleep } from "node:timers/promises";
import type { LabState, LabStatus, Runtime } from "../runtimes/runtime.ts";
import { processTable, processTree } from "../util/processes.ts";
import type { Observed } from "./experiment.ts";
import type { AnswerCounter } from "./k6-run.ts";
import type { MetricsCsv, Row } from "./metrics-csv.ts";

export interface SamplerOptions {
  readonly runtime: Runtime;
  readonly observed: Observed;
  readonly counter: AnswerCounter;
  readonly csv: MetricsCsv;
  /** The load generator's process while it runs. */
  readonly generatorPid: number;
  /** Told of each row; for progress. */
  onRow(row: Row): void;
  /** Told when the lab under the run has stopped by itself. */
  onLabGone(status: LabStatus): void;
}

export interface Sampler {
  /** Columns of later rows say which stage they belong to. */
  stage: "load" | "settle";
  /** Takes a last sample and stops. Rejects with what went wrong while sampling. */
  stop(): Promise<void>;
  /** Mean share of all processors that the generator took during the load, 0 to 1. */
  generatorCpu(): number | undefined;
}

const PERIOD_MS = 1000;
/** A lab that is stopping answers requests no longer. */
const gone: readonly LabState[] = ["stopping", "stopped", "failed"];

export function startSampler(options: SamplerOptions): Sampler {
  const stopping = new AbortController();
  const began = performance.now();
  const generator = new CpuMeter();
  let before = { at: began, answers: 0 };

  const sampler: Sampler = {
    stage: "load",
    async stop() {
      stopping.abort();
      await loop;
    },
    generatorCpu: () => generator.mean(),
  };

  async function sample(): Promise<void> {
    const { counter, observed, runtime, generatorPid } = options;
    const [seen, status, table, counted] = await Promise.all([
      observed.sample().catch(() => ({}) as Record<string, number>),
      runtime.status().catch(() => undefined),
      processTable(),
      // The time of this count, which a slow status may not blur.
      counter.read().then(() => ({ at: performance.now(), answers: counter.answers })),
    ]);
    if (status && gone.includes(status.state)) options.onLabGone(status);
    const generatorTree = processTree(table, generatorPid);
    const cpuSeconds = generatorTree.reduce((sum, row) => sum + row.cpuSeconds, 0);
    if (sampler.stage === "load" && generatorTree.length > 0) generator.add(cpuSeconds);
    const row: Row = {
      time: new Date().toISOString(),
      elapsed_s: (performance.now() - began) / 1000,
      stage: sampler.stage,
      answers: counted.answers,
      errors: counter.errors,
      answers_per_s: perSecond(counted.answers - before.answers, counted.at - before.at),
      // All of its columns in each row, the first one above all: that one names them for the whole file.
      ...Object.fromEntries(observed.columns.map((column) => [column, seen[column]])),
      generator_cpu_s: cpuSeconds,
      generator_memory_mb: generatorTree.reduce((sum, { rss }) => sum + rss, 0) / 2 ** 20,
      ...(status && partColumns(status)),
    };
    before = counted;
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
  // What goes wrong is told by `stop`, which is always called; until then it must not end the process.
  loop.catch(() => {});
  return sampler;
}

/** To one decimal; too short a time, as before the first and the last sample, says nothing. */
function perSecond(count: number, milliseconds: number): number | undefined {
  return milliseconds < PERIOD_MS / 10 ? undefined : Math.round((count / milliseconds) * 10_000) / 10;
}

/** Cumulative processor seconds and resident memory of each part that runs. */
function partColumns({ parts }: LabStatus): Record<string, number> {
  return Object.fromEntries(
    parts.flatMap(({ name, cpu_seconds, memory_mb }) => {
      const key = name.replaceAll("-", "_");
      return [
        [`${key}_cpu_s`, cpu_seconds ?? 0],
        [`${key}_memory_mb`, memory_mb ?? 0],
      ];
    }),
  );
}

/** Turns cumulative processor seconds into a mean share of the whole machine. */
class CpuMeter {
  #first: { readonly at: number; readonly cpu: number } | undefined;
  #last: { readonly at: number; readonly cpu: number } | undefined;

  add(cpu: number): void {
    this.#last = { at: performance.now() / 1000, cpu };
    this.#first ??= this.#last;
  }

  mean(): number | undefined {
    if (!this.#first || !this.#last || this.#last.at - this.#first.at < 1) return undefined;
    const share = (this.#last.cpu - this.#first.cpu) / (this.#last.at - this.#first.at);
    return share / navigator.hardwareConcurrency;
  }
}
