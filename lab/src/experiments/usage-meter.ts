/**
 * Adds up what the parts of the lab, and the load generator, took. Counters are read now and then; what they grew by between
 * two readings belongs to the step that was under way in the middle.
 */

import type { PartUsage } from "../runtimes/runtime.ts";

/** Null where the system does not tell. */
export interface PartFigures {
  /** Processor seconds. */
  readonly cpu_s: number | null;
  readonly memory_mb_max: number | null;
  readonly network_rx_mb: number | null;
  readonly network_tx_mb: number | null;
  /** Seconds for which a processor quota held it back. */
  readonly throttled_s: number | null;
}

type Counter = "cpu_seconds" | "network_rx_bytes" | "network_tx_bytes" | "throttled_seconds";

const COUNTERS: readonly Counter[] = [
  "cpu_seconds",
  "network_rx_bytes",
  "network_tx_bytes",
  "throttled_seconds",
];
const MIB = 2 ** 20;

export class UsageMeter {
  readonly #parts = new Map<string, PartMeter>();

  /** @param counted whether what was taken since the last reading is to be counted */
  add(usages: readonly PartUsage[], counted: boolean): void {
    for (const usage of usages) {
      const part = this.#parts.get(usage.name) ?? new PartMeter();
      this.#parts.set(usage.name, part);
      part.add(usage, counted);
    }
  }

  /** By part name. */
  figures(): Record<string, PartFigures> {
    return Object.fromEntries([...this.#parts].map(([name, part]) => [name, part.figures()]));
  }
}

class PartMeter {
  readonly #last = new Map<Counter, number>();
  readonly #sums = new Map<Counter, number>();
  #memory: number | null = null;

  add(usage: Omit<PartUsage, "name">, counted: boolean): void {
    for (const counter of COUNTERS) {
      const value = usage[counter];
      if (value === null) continue;
      const before = this.#last.get(counter);
      this.#last.set(counter, value);
      if (!counted || before === undefined) continue;
      // A part that was started anew counts from zero again.
      const grown = value >= before ? value - before : value;
      this.#sums.set(counter, (this.#sums.get(counter) ?? 0) + grown);
    }
    if (counted && usage.memory_mb !== null) this.#memory = Math.max(this.#memory ?? 0, usage.memory_mb);
  }

  figures(): PartFigures {
    const sum = (counter: Counter, unit = 1) => {
      const total = this.#sums.get(counter);
      return total === undefined ? null : total / unit;
    };
    return {
      cpu_s: sum("cpu_seconds"),
      memory_mb_max: this.#memory,
      network_rx_mb: sum("network_rx_bytes", MIB),
      network_tx_mb: sum("network_tx_bytes", MIB),
      throttled_s: sum("throttled_seconds"),
    };
  }
}

/** Turns processor time taken into shares of the whole machine: the mean, and the highest over a window. */
export class CpuMeter {
  readonly #processors: number;
  readonly #window: number;
  readonly #stretches: { readonly seconds: number; readonly cpu: number }[] = [];
  #peak: number | undefined;

  /** @param windowSeconds of the peak: shorter ones are noise */
  constructor(processors = navigator.hardwareConcurrency, windowSeconds = 5) {
    this.#processors = processors;
    this.#window = windowSeconds;
  }

  /** The next stretch of time, which follows the one before, and the processor seconds that were taken in it. */
  add(seconds: number, cpu: number): void {
    this.#stretches.push({ seconds, cpu });
    let [spanned, taken] = [0, 0];
    for (const stretch of this.#stretches.toReversed()) {
      spanned += stretch.seconds;
      taken += stretch.cpu;
      if (spanned < this.#window) continue;
      this.#peak = Math.max(this.#peak ?? 0, taken / spanned / this.#processors);
      return;
    }
  }

  /** Undefined before there was half a second to measure. */
  mean(): number | undefined {
    const seconds = this.#stretches.reduce((sum, stretch) => sum + stretch.seconds, 0);
    const cpu = this.#stretches.reduce((sum, stretch) => sum + stretch.cpu, 0);
    return seconds < 0.5 ? undefined : cpu / seconds / this.#processors;
  }

  /** Undefined before there was a whole window. */
  peak(): number | undefined {
    return this.#peak;
  }
}
