/**
 * Two things measured side by side in one run: A B A B …, at least five times, since absolute figures on a
 * shared machine are noise and their ratio is not.
 */

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

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** `median 0.71 (0.66–0.73)` */
export function spread(values: readonly number[], digits = 2): string {
  return `median ${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
}
