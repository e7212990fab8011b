/**
 * When the last order of a drain will be paid, from what was watched of it. Workers that always find an order waiting go round: each
 * pays one, then the next, and as many as there are workers are paid in every round. What a round takes is measured, so that
 * what an order costs beside its payment (polling, the database) is in it; the queue model knows the payment alone.
 */

import { secondsToDrain } from "../../models/queue.ts";
import type { OrderTime } from "./order-times.ts";

/** A rate at which orders were paid while others waited. */
export interface SaturatedRate {
  readonly perSecond: number;
  /** Payments that it is told by. */
  readonly orders: number;
}

export interface WatchedDrain {
  /** End of the watch, seconds since the first order was sent. */
  readonly until: number;
  /** Orders that are paid for at the same time. */
  readonly workers: number;
  /** Seconds of a payment. */
  readonly serviceSeconds: number;
}

/** Fewer payments tell of themselves, and of no rate. */
const LEAST_ORDERS = 30;

/**
 * Of the longest time in which more orders were not paid than there are workers, whole rounds: bursts of workers who began together
 * are then no matter. Undefined where that was less than a round, or than some tens of orders.
 */
export function saturatedRate(
  orders: readonly OrderTime[],
  { until, workers }: Pick<WatchedDrain, "until" | "workers">,
): SaturatedRate | undefined {
  const paid = paidInOrder(orders, until);
  const [first, last] = longestSaturated(orders, paid, workers);
  const rounds = Math.floor((last - first) / workers);
  if (rounds < 1 || last - first < LEAST_ORDERS) return undefined;
  // The last ones: those before them were paid beside the load.
  const seconds = (paid[last] as number) - (paid[last - rounds * workers] as number);
  return seconds > 0 ? { perSecond: (rounds * workers) / seconds, orders: rounds * workers } : undefined;
}

/**
 * Seconds since the first order was sent, when the last of those is paid that were left when the watch ended.
 * @param rate as it was measured; the queue model's, payments and nothing else, unless told
 */
export function forecastLastPaid(
  orders: readonly OrderTime[],
  watched: WatchedDrain,
  rate?: SaturatedRate,
): number {
  const { until, workers } = watched;
  const paid = paidInOrder(orders, until);
  const left = orders.filter(({ accepted }) => accepted <= until).length - paid.length;
  if (left === 0) return paid.at(-1) ?? 0;
  if (!rate) return until + secondsToDrain(left, watched);
  const rounds = Math.ceil(left / workers);
  // The last order is that worker's so many rounds later; when it was paid last is known, and how far it was by the end is not.
  const before = paid[paid.length - 1 + left - rounds * workers] ?? until;
  return Math.max(until, before + (rounds * workers) / rate.perSecond);
}

function paidInOrder(orders: readonly OrderTime[], until: number): number[] {
  return orders
    .flatMap(({ paid }) => (paid !== undefined && paid <= until ? [paid] : []))
    .sort((one, other) => one - other);
}

/** First and last index of the longest row of payments after each of which its worker found an order waiting. */
function longestSaturated(
  orders: readonly OrderTime[],
  paid: readonly number[],
  workers: number,
): readonly [first: number, last: number] {
  const accepted = orders.map(({ accepted }) => accepted).sort((one, other) => one - other);
  let longest: readonly [number, number] = [0, 0];
  let came = 0;
  let first: number | undefined;
  for (const [index, at] of paid.entries()) {
    while (came < accepted.length && (accepted[came] as number) <= at) came += 1;
    if (came - index <= workers) {
      first = undefined;
      continue;
    }
    first ??= index;
    if (index - first > longest[1] - longest[0]) longest = [first, index];
  }
  return longest;
}
