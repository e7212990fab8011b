/**
 * Every way of dealing the values of two samples into two groups of the same sizes again. If it made no difference on
 * which side a run was made, each of these splits would have been as likely as the one that was seen.
 *
 * All splits are taken where there are at most 20,000; otherwise the one that was seen and 20,000 random ones, the same
 * for the same seed (Phipson and Smyth 2010: the observed one is counted among them, so that no p is zero).
 *
 * The order of runs within a side has no influence, and swapped sides see the same splits mirrored.
 */

import { seededRandom } from "../models/seeded-random.ts";

export const MOST_EXACT_SPLITS = 20_000;
export const RANDOM_SPLITS = 20_000;

export interface Splits {
  /** Mean of B minus mean of A, as it was seen. */
  readonly difference: number;
  /** The same for each split. */
  readonly differences: Float64Array;
  /** For each split, how many values of A have changed places with as many of B, times (1/|A| + 1/|B|). 0 to 2. */
  readonly exchanged: Float64Array;
  /** Whether these are all splits that there are. */
  readonly exact: boolean;
}

/** @throws RangeError for an empty side or a value that is not finite */
export function splitsOf(a: readonly number[], b: readonly number[], seed: number): Splits {
  for (const side of [a, b]) {
    if (side.length === 0) throw new RangeError("Each side needs a value.");
    if (!side.every(Number.isFinite)) throw new RangeError("Each value must be a finite number.");
  }
  const [first, second] = [a.toSorted(ascending), b.toSorted(ascending)];
  return firstGoesFirst(first, second) ? split(first, second, seed) : mirrored(split(second, first, seed));
}

/** Deals to groups as large as `rest` and `dealt`; `dealt` is the smaller one, since each choice of its values is a split. */
function split(rest: readonly number[], dealt: readonly number[], seed: number): Splits {
  // Taken from the mean of all, so that large values with small differences keep their digits.
  const pool = [...rest, ...dealt];
  const centre = mean(pool);
  const centred = pool.map((value) => value - centre);
  const total = centred.reduce(sum, 0);
  const share = 1 / rest.length + 1 / dealt.length;

  const count = binomial(pool.length, dealt.length, MOST_EXACT_SPLITS);
  const exact = count <= MOST_EXACT_SPLITS;
  const size = exact ? count : RANDOM_SPLITS + 1;
  const differences = new Float64Array(size);
  const exchanged = new Float64Array(size);
  let next = 0;
  const take = (dealtSum: number, fromRest: number) => {
    differences[next] = dealtSum * share - total / rest.length;
    exchanged[next] = fromRest * share;
    next += 1;
  };

  const seen = centred.slice(rest.length).reduce(sum, 0);
  if (exact) everyChoice(centred, dealt.length, rest.length, take);
  else {
    take(seen, 0);
    randomChoices(centred, dealt.length, rest.length, seed, take);
  }
  return { difference: seen * share - total / rest.length, differences, exchanged, exact };
}

type Take = (chosenSum: number, chosenFromFirst: number) => void;

/** Each choice of `size` values once. As deep as `size`, which is under ten wherever all choices are few. */
function everyChoice(values: readonly number[], size: number, firstLength: number, take: Take): void {
  const choose = (from: number, left: number, chosenSum: number, fromFirst: number): void => {
    if (left === 0) {
      take(chosenSum, fromFirst);
      return;
    }
    for (let index = from; index <= values.length - left; index += 1) {
      const value = values[index] as number;
      choose(index + 1, left - 1, chosenSum + value, fromFirst + (index < firstLength ? 1 : 0));
    }
  };
  choose(0, size, 0, 0);
}

function randomChoices(
  values: readonly number[],
  size: number,
  firstLength: number,
  seed: number,
  take: Take,
): void {
  const random = seededRandom(seed);
  const order = values.map((_, index) => index);
  for (let round = 0; round < RANDOM_SPLITS; round += 1) {
    let chosenSum = 0;
    let fromFirst = 0;
    // The first `size` steps of a Fisher-Yates shuffle; any order is as good as another to begin the next round from.
    for (let place = 0; place < size; place += 1) {
      const other = place + Math.floor(random() * (order.length - place));
      const chosen = order[other] as number;
      order[other] = order[place] as number;
      order[place] = chosen;
      chosenSum += values[chosen] as number;
      if (chosen < firstLength) fromFirst += 1;
    }
    take(chosenSum, fromFirst);
  }
}

/** The larger side; of equal sides the one with the smaller values. So the order of the arguments is of no influence. */
function firstGoesFirst(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return a.length > b.length;
  const apart = mean(b) - mean(a);
  if (apart !== 0) return apart > 0;
  const index = a.findIndex((value, place) => value !== b[place]);
  return index < 0 || (a[index] as number) < (b[index] as number);
}

function mirrored({ difference, differences, exchanged, exact }: Splits): Splits {
  return { difference: -difference, differences: differences.map((value) => -value), exchanged, exact };
}

/** n over k, or some number above `most` as soon as it is. */
function binomial(n: number, k: number, most: number): number {
  let result = 1;
  for (let step = 1; step <= k; step += 1) {
    result = (result * (n - k + step)) / step;
    if (result > most) return result;
  }
  return Math.round(result);
}

export function mean(values: readonly number[]): number {
  return values.reduce(sum, 0) / values.length;
}

function sum(before: number, value: number): number {
  return before + value;
}

function ascending(one: number, other: number): number {
  return one - other;
}
