/** What was taken during the measured steps and the settling after them, from readings about once a second. */

import type { PartUsage } from "../runtimes/runtime.ts";
import type { GeneratorFigures } from "../verdicts/performance.ts";
import type { Sample } from "./experiment.ts";
import type { ScheduledStep } from "./load-schedule.ts";
import { CpuMeter, type PartFigures, UsageMeter } from "./usage-meter.ts";

export interface SampledFigures {
  /** Measured steps and settling: work that is put off is work all the same. */
  readonly parts: Readonly<Record<string, PartFigures>>;
  /** Of the measured steps. */
  readonly generator: PartFigures;
  /** By step, and of all measured ones under "". */
  readonly generatorCpu: Readonly<Record<string, GeneratorFigures>>;
  /** The highest value of each sample that is no cumulative count. */
  readonly highest: Readonly<Record<string, number>>;
}

export interface Reading {
  /** Seconds since the load began, when the generator was looked at. */
  readonly at: number;
  /** Under way between the reading before and this one. */
  readonly steps: readonly ScheduledStep[];
  readonly settling: boolean;
  readonly parts: readonly PartUsage[];
  /** Undefined when it does not run. */
  readonly generator: PartUsage | undefined;
  readonly seen: Readonly<Record<string, number>>;
}

export class StepMeters {
  readonly #samples: readonly Sample[];
  readonly #parts = new UsageMeter();
  readonly #generator = new UsageMeter();
  readonly #generatorCpu = new Map<string, CpuMeter>();
  readonly #highest: Record<string, number> = {};
  #before: { readonly at: number; readonly cpu: number | undefined } | undefined;

  constructor(samples: readonly Sample[]) {
    this.#samples = samples;
  }

  /** Between the reading before and one at `at`, in seconds since the load began. */
  middle(at: number): number {
    return this.#before ? (this.#before.at + at) / 2 : at;
  }

  add({ at, steps, settling, parts, generator, seen }: Reading): void {
    const measured = steps.some(({ kind }) => kind === "measured");
    this.#parts.add(parts, measured || settling);
    if (generator) this.#generator.add([generator], measured);
    const cpu = generator?.cpu_seconds ?? undefined;
    if (cpu !== undefined && this.#before?.cpu !== undefined) {
      const names = [...steps.map(({ name }) => name), ...(measured ? [""] : [])];
      for (const name of names) this.#meterOf(name).add(at - this.#before.at, cpu - this.#before.cpu);
    }
    this.#before = { at, cpu };
    if (measured || settling) this.#note(seen);
  }

  figures(): SampledFigures {
    return {
      parts: this.#parts.figures(),
      generator: Object.values(this.#generator.figures())[0] ?? noFigures,
      generatorCpu: Object.fromEntries(
        [...this.#generatorCpu].map(([step, meter]) => [
          step,
          { meanCpu: meter.mean(), peakCpu: meter.peak() },
        ]),
      ),
      highest: this.#highest,
    };
  }

  #note(seen: Readonly<Record<string, number>>): void {
    for (const { name, cumulative } of this.#samples) {
      const value = seen[name];
      if (value === undefined || cumulative) continue;
      this.#highest[name] = Math.max(this.#highest[name] ?? 0, value);
    }
  }

  #meterOf(name: string): CpuMeter {
    const meter = this.#generatorCpu.get(name) ?? new CpuMeter();
    this.#generatorCpu.set(name, meter);
    return meter;
  }
}

const noFigures: PartFigures = {
  cpu_s: null,
  memory_mb_max: null,
  network_rx_mb: null,
  network_tx_mb: null,
  throttled_s: null,
};
