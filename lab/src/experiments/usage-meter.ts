/** Adds up what the parts of the lab, and the load generator, took during the measured steps. */

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

const MIB = 2 ** 20;

export class UsageMeter {
  readonly #parts = new Map<string, PartMeter>();

  /** @param counted false outside the measured steps: the counters are noted, and nothing is added */
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
    for (const counter of [
      "cpu_seconds",
      "network_rx_bytes",
      "network_tx_bytes",
      "throttled_seconds",
    ] as const) {
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

/** Turns cumulative processor seconds into shares of the whole machine: the mean, and the highest over a window. */
export class CpuMeter {
  readonly #processors: number;
  readonly #window: number;
  readonly #points: { readonly at: number; readonly cpu: number }[] = [];
  #peak: number | undefined;

  /** @param windowSeconds of the peak: shorter ones are noise */
  constructor(processors = navigator.hardwareConcurrency, windowSeconds = 5) {
    this.#processors = processors;
    this.#window = windowSeconds;
  }

  /** @param at seconds, on a clock that only goes on */
  add(cpu: number, at = performance.now() / 1000): void {
    this.#points.push({ at, cpu });
    const since = this.#points.findLast((point) => at - point.at >= this.#window);
    if (since) this.#peak = Math.max(this.#peak ?? 0, this.#share(since, { at, cpu }));
  }

  /** Undefined before there was a second to measure. */
  mean(): number | undefined {
    const [first] = this.#points;
    const last = this.#points.at(-1);
    return first && last && last.at - first.at >= 1 ? this.#share(first, last) : undefined;
  }

  /** Undefined before there was a whole window. */
  peak(): number | undefined {
    return this.#peak;
  }

  #share(from: { at: number; cpu: number }, to: { at: number; cpu: number }): number {
    return (to.cpu - from.cpu) / (to.at - from.at) / this.#processors;
  }
}
