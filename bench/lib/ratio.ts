/**
 * Two things measured side by side in one run: A B A B …, at least five times, since absolute figures on a
 * shared machine are noise and their ratio is not.
 */

import { median } from "../../lab/src/util/median.ts";

export { median };

export interface Comparison {
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** a/b of each pair. */
  readonly ratios: readonly number[];
}

export async function interleave(
  rounds: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<Comparison> {
  const results = { a: [] as number[], b: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    results.a.push(await a());
    results.b.push(await b());
  }
  return { ...results, ratios: results.a.map((value, at) => value / (results.b[at] ?? Number.NaN)) };
}

/** `median 0.71 (0.66–0.73)` */
export function spread(values: readonly number[], digits = 2): string {
  return `median ${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
}
