/** What breaks an invariant, where there may be half a million of it: how many, and the first few. */

import { type Invariant, noneOf } from "./verdict.ts";

const SHOWN = 10;

export class Offenders {
  count = 0;
  readonly first: string[] = [];

  add(example: string): void {
    this.count += 1;
    if (this.first.length < SHOWN) this.first.push(example);
  }

  /** All of another's; each of its examples with this behind it. */
  addAll({ count, first }: Offenders, what = ""): void {
    for (const example of first) this.add(`${example}${what}`);
    this.count += count - first.length;
  }
}

/** `noneOf` of these. */
export function noneOfThem(
  name: string,
  { first, count }: Offenders,
  told: {
    readonly checked: number;
    readonly counts?: Readonly<Record<string, number>>;
    readonly detail: string;
  },
): Invariant {
  return noneOf(name, first, { ...told, counts: { offending: count, ...told.counts } });
}
