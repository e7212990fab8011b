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
  /** `abandoned`: it was to be paid while its customer waited, was not, and never will be unless it is sent again. */
  readonly status: "processing" | "completed" | "abandoned";
  readonly total_minor: number;
  readonly accepted_at: string;
  readonly completed_at?: string;
  readonly charge_id?: string;
  /** Times that the processing of this order was begun. */
  readonly attempts: number;
}

/** What beginning an order found. `attempt` counts up with each; the last to begin decides what becomes of the order. */
export type Begun =
  | {
      readonly outcome: "begun";
      readonly attempt: number;
      /** A queue carries it too, and will see it through: it must not be abandoned. */
      readonly promised: boolean;
    }
  | { readonly outcome: "completed" }
  /** An order with this id but other contents is there. */
  | { readonly outcome: "conflict" };

/** Who begins an order that no queue carries, and when others may settle it (`settle.ts`) if it is not finished. */
export interface Keeper {
  /** The receiver that keeps it, by its lease. */
  readonly instance: string;
  readonly settleAfterSeconds: number;
}

export interface OrderStore {
  /**
   * Records that the order is being processed.
   * @param keeper absent when a queue delivers it
   * @throws DependencyUnavailable
   */
  begin(order: Order, fingerprint: string, keeper?: Keeper): Promise<Begun>;
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

/** An order that was begun while its customer waited, and whose end is not on record. */
export interface UnsettledOrder {
  readonly order_id: string;
  readonly total_minor: number;
  readonly attempt: number;
}

/** Besides: orders that are paid while their customers wait, which no queue sees through. */
export interface SyncOrderStore extends OrderStore {
  /**
   * Puts on record that it will not be paid; only while `attempt` is the last one and no queue has promised it.
   * @returns whether it did
   * @throws DependencyUnavailable
   */
  abandon(orderId: string, attempt: number): Promise<boolean>;
  /** Whoever looks for unsettled orders finds it in `seconds`, unless it has been begun again. @throws DependencyUnavailable */
  settleIn(seconds: number, order: { order_id: string; attempt: number }): Promise<void>;
  /** Those whose time has come or whose keeper's lease has ended, the longest waiting first. @throws DependencyUnavailable */
  unsettled(limit: number): Promise<readonly UnsettledOrder[]>;
}

/** What tells others that a receiver is alive. */
export interface Leases {
  /** @throws DependencyUnavailable */
  renew(instance: string, seconds: number): Promise<void>;
  /** @throws DependencyUnavailable */
  end(instance: string): Promise<void>;
}

/** A request that carries an idempotency key. */
export interface KeyedRequest {
  readonly key: string;
  /** What makes two requests with one key the same request. */
  readonly fingerprint: string;
  /** For an order without an id: the one that the first attempt names is that of all. */
  readonly orderId: string;
  /** The receiver that runs it, by its lease. */
  readonly instance: string;
  /** After so long another one may run it again, even while the receiver is alive. */
  readonly lockSeconds: number;
  readonly retentionSeconds: number;
}

/** An answer as it is given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | undefined;
  readonly body: string;
}

export type Taken =
  | { readonly outcome: "taken"; readonly orderId: string; readonly attempt: number }
  | { readonly outcome: "running" }
  /** The key belongs to a request with another fingerprint. */
  | { readonly outcome: "other" }
  | { readonly outcome: "finished"; readonly answer: KeptAnswer };

export interface IdempotencyKeys {
  /** One of those who ask at the same time takes it. @throws DependencyUnavailable */
  take(request: KeyedRequest): Promise<Taken>;
  /** Unless another attempt has taken the key since. @throws DependencyUnavailable */
  finish(key: string, attempt: number, answer: KeptAnswer): Promise<void>;
  /** The request may be run again at once; what its first attempt fixed stays. @throws DependencyUnavailable */
  release(key: string, attempt: number): Promise<void>;
  /** Removes what is out of retention, so many at the most. @returns how many @throws DependencyUnavailable */
  clean(limit: number): Promise<number>;
}

export interface ChargeRequest {
  readonly order_id: string;
  readonly amount_minor: number;
  /** Which attempt at this order asks; see `Begun`. */
  readonly attempt: number;
}

export interface PaymentProvider {
  /**
   * Charges once per order id, however often it is asked.
   * @throws DependencyUnavailable when the provider does not answer; PermanentFailure when it refuses; Cancelled
   */
  charge(request: ChargeRequest, context: CallContext): Promise<Charge>;
}

/**
 * What came of asking for no charge.
 * - dropped: there is none, and no attempt up to this one will ever make one
 * - in_progress: the payment has begun and will be made
 * - superseded: a later attempt is in line; it was not touched
 */
export type Cancellation =
  | { readonly status: "dropped" | "in_progress" | "superseded" }
  | { readonly status: "charged"; readonly charge: Charge };

export interface RevocablePayments extends PaymentProvider {
  /** @throws DependencyUnavailable: anything may have come of it */
  cancel(
    request: { readonly order_id: string; readonly attempt: number },
    context: CallContext,
  ): Promise<Cancellation>;
}

/** Carried along with a call: when to give up, and the trace it belongs to. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly traceparent: string;
}

export interface Ledger {
  /** @throws DependencyUnavailable */
  find(orderId: string): Promise<Charge | undefined>;
  /** The charge, if there is one, and up to which attempt this order is closed to charges (0: none). @throws DependencyUnavailable */
  standing(orderId: string): Promise<{ readonly charge: Charge | undefined; readonly closedThrough: number }>;
  /**
   * Records the charge unless the order has one; resolves to the one that stands.
   * @throws Cancelled when there is none and the order is closed to this attempt; DependencyUnavailable
   */
  record(charge: Charge, attempt: number): Promise<Charge>;
  /**
   * Closes the order to attempts up to this one, whatever is under way elsewhere.
   * @returns the charge that had been recorded before, if any: then closing changes nothing
   * @throws DependencyUnavailable
   */
  close(orderId: string, attempt: number): Promise<Charge | undefined>;
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
