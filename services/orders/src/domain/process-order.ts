/** Processing one order: at least once in, once in effect. */

import { PermanentFailure } from "@parallax/messaging/errors";
import { fingerprint, type Order } from "./order.ts";
import type { CallContext, OrderStore, PaymentProvider } from "./ports.ts";

export type Outcome = "completed" | "duplicate";

/**
 * Begins, pays, commits. Each step may be repeated by another delivery of the same order: the provider
 * charges an order id once and the store completes it once.
 * @throws PermanentFailure when another order has this id; DependencyUnavailable; the signal's reason
 */
export async function processOrder(
  order: Order,
  { store, payments }: { store: OrderStore; payments: PaymentProvider },
  context: CallContext,
): Promise<Outcome> {
  const begun = await store.begin(order, fingerprint(order));
  if (begun.outcome === "completed") return "duplicate";
  if (begun.outcome === "conflict") throw new PermanentFailure(`Another order has the id ${order.order_id}`);
  context.signal.throwIfAborted();
  const charge = await payments.charge(
    { order_id: order.order_id, amount_minor: order.total_minor, attempt: begun.attempt },
    context,
  );
  // No check of the signal here: the customer has paid, so the sooner that is on record the better.
  return (await store.complete(charge)) === "completed" ? "completed" : "duplicate";
}
