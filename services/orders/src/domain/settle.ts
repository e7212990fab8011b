/**
 * The end of an order that nobody waits for any more: what the provider's ledger says, it becomes. Safe to do
 * again, by several at once, and beside whoever still works on the order.
 *
 * Never abandoned and charged: the provider first closes the order, on record, to this attempt and all before
 * it, and only then is it abandoned, unless a later attempt has been begun meanwhile, which then decides.
 */

import type { CallContext, RevocablePayments, SyncOrderStore, UnsettledOrder } from "./ports.ts";

export type Settled =
  | "completed"
  | "abandoned"
  /** The payment has begun: it will be charged. */
  | "in_progress"
  /** A later attempt has been begun, and decides. */
  | "left";

/** A charge stands that is not this order's: somebody else's mistake, which asking again does not mend. */
export class ForeignCharge extends Error {
  override readonly name = "ForeignCharge";
  readonly code = "FOREIGN_CHARGE";
}

export interface SettleParts {
  readonly store: SyncOrderStore;
  readonly payments: RevocablePayments;
}

/** @throws DependencyUnavailable; ForeignCharge */
export async function settle(
  { order_id, total_minor, attempt }: UnsettledOrder,
  { store, payments }: SettleParts,
  context: CallContext,
): Promise<Settled> {
  const cancellation = await payments.cancel({ order_id, attempt }, context);
  switch (cancellation.status) {
    case "charged":
      if (cancellation.charge.amount_minor !== total_minor) {
        throw new ForeignCharge(`The charge that stands for ${order_id} has another amount`);
      }
      await store.complete(cancellation.charge);
      return "completed";
    case "dropped":
      return (await store.abandon(order_id, attempt)) ? "abandoned" : "left";
    case "superseded":
      return "left";
    case "in_progress":
      return "in_progress";
  }
}
