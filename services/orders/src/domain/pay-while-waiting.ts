/** Paying for an order while its customer waits. */

import { Cancelled, Conflict, DependencyUnavailable } from "@parallax/service/errors";
import { fingerprint, type Order } from "./order.ts";
import type { Keeper } from "./ports.ts";
import { type SettleParts, settle } from "./settle.ts";

export type SyncOutcome =
  | "completed"
  /** It had been completed before. */
  | "already"
  /** Given up: nothing is charged, and that is on record. */
  | "abandoned"
  /** Given up: another request for the same order, or a queue, sees it through. */
  | "left";

export interface Wait {
  /** Aborted when there is no more point in waiting. A payment that has begun by then is seen through. */
  readonly giveUp: AbortSignal;
  /** Aborted when even that has to end: the process stops. */
  readonly signal: AbortSignal;
  readonly traceparent: string;
}

export interface PayParts extends SettleParts {
  readonly keeper: Keeper;
  /** Told of an attempt whose end is not known; somebody has to settle it. */
  onUnsettled(order: { order_id: string; attempt: number }): void;
}

/** Others can take the payment out of the line only so often until this one does not stand in it again. */
const MOST_TRIES = 3;

/**
 * Begins, pays, commits; takes the payment out of the provider's line when `giveUp` says so before it has begun.
 * @throws Conflict when another order has this id; DependencyUnavailable; PermanentFailure when the provider
 *   refuses. After all but the first, `onUnsettled` has been told.
 */
export async function payWhileWaiting(order: Order, parts: PayParts, wait: Wait): Promise<SyncOutcome> {
  const { order_id } = order;
  for (let tries = 1; ; tries += 1) {
    const begun = await parts.store.begin(order, fingerprint(order), parts.keeper);
    if (begun.outcome === "completed") return "already";
    if (begun.outcome === "conflict") throw anotherOrder(order_id);
    try {
      return await attemptToPay(order, begun, parts, wait);
    } catch (error) {
      // Another request for this order has given up, for this one too, which stands in line once more.
      if (error instanceof Cancelled && !wait.giveUp.aborted && tries < MOST_TRIES) continue;
      parts.onUnsettled({ order_id, attempt: begun.attempt });
      if (!(error instanceof Cancelled)) throw error;
      throw new DependencyUnavailable("The payment was cancelled again and again.", { cause: error });
    }
  }
}

async function attemptToPay(
  { order_id, total_minor }: Order,
  { attempt, promised }: { attempt: number; promised: boolean },
  parts: PayParts,
  { giveUp, signal, traceparent }: Wait,
): Promise<SyncOutcome> {
  const left = new AbortController();
  const request = { order_id, amount_minor: total_minor, attempt };
  const paying = parts.payments.charge(request, {
    signal: AbortSignal.any([signal, left.signal]),
    traceparent,
  });
  paying.catch(() => {});
  const givenUp = Promise.withResolvers<undefined>();
  const resolve = () => givenUp.resolve(undefined);
  giveUp.addEventListener("abort", resolve);
  if (giveUp.aborted) resolve();
  try {
    let charge = await Promise.race([paying, givenUp.promise]);
    if (!charge) {
      if (promised) return "left";
      const settled = await settle({ order_id, total_minor, attempt }, parts, { signal, traceparent });
      if (settled !== "in_progress") return settled;
      charge = await paying;
    }
    await parts.store.complete(charge);
    return "completed";
  } finally {
    giveUp.removeEventListener("abort", resolve);
    left.abort(new Error("Nobody waits for this payment here any more"));
  }
}

function anotherOrder(orderId: string): Error {
  return new Conflict(`Another order has the id ${orderId}.`, {
    errors: [
      { field: "order_id", pointer: "#/order_id", detail: "is the id of an order with other contents" },
    ],
    extensions: { order_id: orderId },
  });
}
