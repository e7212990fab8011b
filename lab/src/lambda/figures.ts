/** What a function's invocations show: how long cold and warm ones took, and what a cold start adds. */

import { median } from "../util/median.ts";
import type { Invocation } from "./invocations.ts";

export interface LambdaFigures {
  readonly invocations: number;
  readonly cold: StartFigures;
  readonly warm: StartFigures;
  /** Median Init Duration of the REPORT lines of cold starts; null where they do not tell any. */
  readonly init_ms: number | null;
  /** The same as the function itself measured it: from its process's start until it was ready. */
  readonly own_init_ms: number | null;
  /** (cold total − warm total) ÷ warm total, in per cent; null without both. */
  readonly overhead_percent: number | null;
  readonly memory_mb: number | null;
  /** The highest of all. */
  readonly max_memory_mb: number | null;
  /** Invocations that did not end well. */
  readonly failed: number;
}

export interface StartFigures {
  readonly count: number;
  /** Median of Duration and Init Duration together: what the order waited for the function. Null without any. */
  readonly total_ms: number | null;
}

export function lambdaFigures(invocations: readonly Invocation[]): LambdaFigures {
  const good = invocations.filter(({ report }) => report.status === "success");
  const cold = good.filter(({ coldStart }) => coldStart);
  const warm = good.filter(({ coldStart }) => !coldStart);
  const [coldTotal, warmTotal] = [totals(cold), totals(warm)];
  const memory = invocations.map(({ report }) => report.memoryMb);
  return {
    invocations: invocations.length,
    cold: coldTotal,
    warm: warmTotal,
    init_ms: medianOf(cold.map(({ report }) => report.initMs)),
    own_init_ms: medianOf(cold.map(({ ownInitMs }) => ownInitMs)),
    overhead_percent:
      coldTotal.total_ms === null || warmTotal.total_ms === null || warmTotal.total_ms === 0
        ? null
        : ((coldTotal.total_ms - warmTotal.total_ms) / warmTotal.total_ms) * 100,
    memory_mb: memory.at(-1) ?? null,
    max_memory_mb:
      invocations.length === 0 ? null : Math.max(...invocations.map(({ report }) => report.maxMemoryMb)),
    failed: invocations.length - good.length,
  };
}

function totals(invocations: readonly Invocation[]): StartFigures {
  const each = invocations.map(({ report }) => report.durationMs + (report.initMs ?? 0));
  return { count: each.length, total_ms: medianOf(each) };
}

function medianOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
