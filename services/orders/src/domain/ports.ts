/** What the domain needs from outside; adapters implement these, tests use the in-memory twins. */

import type { Order } from "./order.ts";

export interface Charge {
  readonly charge_id: string;
  readonly order_id: string;
  readonly amount_minor: number;
  /** ISO 8601. */
  readonly charged_at: string;
}

export interface OrderState {
  readonly order_id: string;
  readonly customer_id: string;
  readonly status: "processing" | "completed";
  readonly total_minor: number;
  readonly accepted_at: string;
  readonly completed_at?: string;
  readonly charge_id?: string;
  /** Times that the processing of this order was begun. */
  readonly attempts: number;
}

export interface OrderStore {
  /**
   * Records that the order is being processed. `conflict`: an order with this id but other contents is there.
   * @throws DependencyUnavailable
   */
  begin(order: Order, fingerprint: string): Promise<"begun" | "completed" | "conflict">;
  /**
   * Commits the payment and the order's completion together; once per order, whoever else tries.
   * @throws DependencyUnavailable
   */
  complete(charge: Charge): Promise<"completed" | "already">;
  /** @throws DependencyUnavailable */
  find(orderId: string): Promise<OrderState | undefined>;
  /** @throws DependencyUnavailable */
  check(): Promise<void>;
}

export interface PaymentProvider {
  /**
   * Charges once per order id, however often it is asked.
   * @throws DependencyUnavailable when the provider does not answer; PermanentFailure when it refuses
   */
  charge(request: { order_id: string; amount_minor: number }, context: CallContext): Promise<Charge>;
}

/** Carried along with a call: when to give up, and the trace it belongs to. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly traceparent: string;
}

export interface Ledger {
  /** @throws DependencyUnavailable */
  find(orderId: string): Promise<Charge | undefined>;
  /** Records the charge unless the order has one; resolves to the one that stands. @throws DependencyUnavailable */
  record(charge: Charge): Promise<Charge>;
  /** Charges after `seq`, oldest first. @throws DependencyUnavailable */
  page(after: number, limit: number): Promise<readonly LedgerEntry[]>;
  /** @throws DependencyUnavailable */
  totals(): Promise<{ charges: number; amount_minor: number; last_seq: number }>;
  /** @throws DependencyUnavailable */
  check(): Promise<void>;
}

export interface LedgerEntry extends Charge {
  /** Rises with each charge; gaps are possible. */
  readonly seq: number;
}
