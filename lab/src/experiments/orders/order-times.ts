/**
 * When each order of a run was accepted, by its client's clock, and when it was paid, by the provider's ledger: on one machine these
 * are one clock. From these two the queue's depth is known at every moment; a queue that is asked once a second tells it
 * once a second, and approximately.
 */

import { z } from "zod";
import { readJsonLines } from "../answers-file.ts";
import type { Charge } from "./orders-api.ts";

/** Seconds since the first order was sent. */
export interface OrderTime {
  readonly accepted: number;
  /** Undefined for an order that was never paid. */
  readonly paid: number | undefined;
}

export interface OrderTimes {
  /** Milliseconds since the epoch, when the first order was sent. */
  readonly began: number;
  /** Of every order that was answered 202. */
  readonly orders: readonly OrderTime[];
  /** Orders that were sent and not answered 202. */
  readonly notAccepted: number;
}

const answerSchema = z.object({ at: z.number(), wall_ms: z.number(), id: z.string(), status: z.int() });

export async function readOrderTimes(answersFile: string, charges: readonly Charge[]): Promise<OrderTimes> {
  const { values } = await readJsonLines(answersFile, answerSchema);
  const began = values.reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY);
  const paidAt = new Map(charges.map(({ order_id, charged_at }) => [order_id, Date.parse(charged_at)]));
  const seconds = (at: number) => (at - began) / 1000;
  const orders = values.flatMap(({ at, wall_ms, id, status }) => {
    if (status !== 202) return [];
    const paid = paidAt.get(id);
    return [{ accepted: seconds(at + wall_ms), paid: paid === undefined ? undefined : seconds(paid) }];
  });
  return { began, orders, notAccepted: values.length - orders.length };
}

export interface DepthFigures {
  /** Most orders at one time that were accepted and not paid. */
  readonly peakDepth: number;
  /** Most of these that nobody was paying for; undefined where orders came so late in the watch that it cannot tell. */
  readonly peakWaiting: number | undefined;
  /** Orders that were paid by the end of the watch. */
  readonly done: number;
  /** Orders that were not. */
  readonly left: number;
  /** When the last of those that were paid was; 0 without any. */
  readonly lastPaid: number;
}

/**
 * @param options serviceSeconds a payment takes, all of which is spent on that order alone; `until` ends the watch, seconds since the
 *   first order was sent
 */
export function depthFigures(
  orders: readonly OrderTime[],
  options: { readonly serviceSeconds: number; readonly until: number },
): DepthFigures {
  const { serviceSeconds, until } = options;
  const inTime = orders.filter(({ accepted }) => accepted <= until);
  const paid = inTime.flatMap(({ paid }) => (paid !== undefined && paid <= until ? [paid] : []));
  // Of a payment that the watch did not see the end of, the beginning is not known either: what follows is done by other settings.
  const begun = inTime.flatMap(({ accepted, paid }) =>
    paid === undefined || paid > until ? [] : [Math.max(accepted, paid - serviceSeconds)],
  );
  const lastAccepted = inTime.reduce((last, { accepted }) => Math.max(last, accepted), 0);
  const left = inTime.length - paid.length;
  const beginningsKnown = left === 0 || lastAccepted <= until - serviceSeconds;
  const accepted = inTime.map(({ accepted }) => accepted);
  return {
    peakDepth: highestDifference(accepted, paid, until),
    peakWaiting: beginningsKnown ? highestDifference(accepted, begun, until) : undefined,
    done: paid.length,
    left,
    lastPaid: paid.reduce((last, at) => Math.max(last, at), 0),
  };
}

/** The most by which `up` was ahead of `down` at any moment until then; at one moment, what goes goes first. */
function highestDifference(up: readonly number[], down: readonly number[], until: number): number {
  const ups = up.toSorted((a, b) => a - b);
  const downs = down.toSorted((a, b) => a - b);
  let gone = 0;
  let highest = 0;
  for (const [index, at] of ups.entries()) {
    if (at > until) break;
    while (gone < downs.length && (downs[gone] as number) <= at) gone += 1;
    highest = Math.max(highest, index + 1 - gone);
  }
  return highest;
}
