/**
 * Where customers wait while they pay: how many at once, how long, what is done when one hangs up, and what is
 * counted of it. Orders whose end is not known from here go to `onUnsettled`.
 */

import { PermanentFailure } from "@parallax/messaging/errors";
import { Conflict, DependencyUnavailable, type Logger, type Metrics, Overloaded } from "@parallax/service";
import type { Order } from "../domain/order.ts";
import { type PayParts, payWhileWaiting, type SyncOutcome } from "../domain/pay-while-waiting.ts";
import type { OrderState, RevocablePayments, SyncOrderStore } from "../domain/ports.ts";

export interface SyncDeskParts {
  readonly store: SyncOrderStore;
  readonly payments: RevocablePayments;
  /** This receiver's lease. */
  readonly instance: string;
  /** `drop`: who hangs up is taken out of the provider's line. `keep`: the payment is made all the same. */
  readonly abandon: "drop" | "keep";
  /** Seconds that a customer may wait. */
  readonly timeoutSeconds: number;
  /** Customers who wait at once. */
  readonly limit: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  onUnsettled(order: Unsettled): void;
}

export interface Unsettled {
  readonly order_id: string;
  readonly attempt: number;
  /** Its customer had hung up: if it turns out to be charged, nobody was told. */
  readonly gone: boolean;
}

export interface Customer {
  /** Aborted when the customer has hung up. */
  readonly gone: AbortSignal;
  readonly traceparent: string;
}

/** `failed`: its end is not known from here. */
type Became = SyncOutcome | "conflict" | "failed";

/** A payment that has begun when its customer gives up may take so long; after that others settle it. */
const GRACE_SECONDS = 60;

export class SyncDesk {
  readonly #parts: SyncDeskParts;
  readonly #stopping = new AbortController();
  readonly #cutting = new AbortController();
  readonly #inHand = new Set<Promise<unknown>>();
  #stopped: Promise<void> | undefined;
  readonly #outcomes;

  constructor(parts: SyncDeskParts) {
    this.#parts = parts;
    this.#outcomes = parts.metrics.counter(
      "orders_sync_total",
      "Orders to be paid while their customers wait, by outcome.",
      ["outcome"],
    );
    parts.metrics.gauge("orders_sync_waiting", "Customers who wait for their payment.", () => this.inHand);
  }

  get inHand(): number {
    return this.#inHand.size;
  }

  /**
   * Resolves to the completed order.
   * @throws Conflict; Overloaded; DependencyUnavailable, each naming the order
   */
  async pay(order: Order, customer: Customer): Promise<OrderState> {
    if (this.#stopped) {
      this.#outcomes.inc({ outcome: "refused" });
      throw stopping(order);
    }
    if (this.#inHand.size >= this.#parts.limit) {
      this.#outcomes.inc({ outcome: "refused" });
      throw new Overloaded(`${this.#parts.limit} customers are waiting to pay, which is the limit.`, {
        retryAfterSeconds: 5,
      });
    }
    const paying = this.#pay(order, customer);
    this.#inHand.add(paying);
    try {
      return await paying;
    } finally {
      this.#inHand.delete(paying);
    }
  }

  /**
   * Gives up what has not begun, waits `graceMs` for what has, and leaves the rest to whoever settles. All who wait are
   * answered, and nobody else is let in.
   */
  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new Error("The receiver is stopping"));
    const cut = setTimeout(() => this.#cutting.abort(new Error("The receiver has stopped")), graceMs);
    await Promise.allSettled(this.#inHand);
    clearTimeout(cut);
  }

  async #pay(order: Order, customer: Customer): Promise<OrderState> {
    const { store, payments, instance, timeoutSeconds, onUnsettled } = this.#parts;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutSeconds * 1000);
    const reasons = [late.signal, this.#stopping.signal];
    if (this.#parts.abandon === "drop") reasons.push(customer.gone);
    const wait = {
      giveUp: AbortSignal.any(reasons),
      signal: this.#cutting.signal,
      traceparent: customer.traceparent,
    };
    const keeper = { instance, settleAfterSeconds: timeoutSeconds + GRACE_SECONDS };
    const parts: PayParts = {
      ...{ store, payments, keeper },
      onUnsettled: (unsettled) => onUnsettled({ ...unsettled, gone: customer.gone.aborted }),
    };
    let became: Became = "failed";
    try {
      const outcome = await payWhileWaiting(order, parts, wait);
      became = outcome;
      const state =
        outcome === "abandoned" || outcome === "left" ? undefined : await store.find(order.order_id);
      if (state) return state;
      throw unpaid(order, outcome);
    } catch (error) {
      if (error instanceof Conflict) became = "conflict";
      throw named(order, error);
    } finally {
      clearTimeout(timer);
      // Once, at the end: by what became of the order, also when it cannot be read any more to be told.
      this.#record(order, became, customer);
    }
  }

  #record({ order_id }: Order, became: Became, customer: Customer): void {
    const label = labelOf(became, customer.gone.aborted);
    this.#outcomes.inc({ outcome: label });
    if (customer.gone.aborted) {
      this.#parts.logger.info({ order_id, outcome: label }, "the customer had hung up");
    }
  }
}

function labelOf(outcome: Became, gone: boolean): string {
  if (outcome === "completed") return gone ? "abandoned_charged" : "completed";
  if (outcome === "abandoned") return gone ? "abandoned_dropped" : "timed_out";
  return outcome;
}

/** Given up in good order, and counted as what it is. */
class Unpaid extends DependencyUnavailable {}

function unpaid({ order_id }: Order, outcome: SyncOutcome): Error {
  const detail =
    outcome === "abandoned"
      ? `The payment has not begun in time and was cancelled; nothing is charged. Send the order ${order_id} again.`
      : `Another request sees the order ${order_id} through; ask for it.`;
  return new Unpaid(detail, { retryAfterSeconds: 5, extensions: { order_id } });
}

function stopping({ order_id }: Order): Error {
  const detail = `The receiver is stopping and has not begun the order ${order_id}. Send it again.`;
  return new Unpaid(detail, { retryAfterSeconds: 2, extensions: { order_id } });
}

/** The failure as its customer is told it: whatever came of it, the same order can be sent again. */
function named({ order_id }: Order, error: unknown): unknown {
  const extensions = { order_id };
  if (error instanceof PermanentFailure) {
    return new Conflict("The payment provider refuses to charge this order.", { cause: error, extensions });
  }
  if (!(error instanceof DependencyUnavailable) || error instanceof Unpaid) {
    return error;
  }
  return new DependencyUnavailable(
    `It is not known whether the order is paid. Send it again with the order_id ${order_id}: it is paid once.`,
    { cause: error, retryAfterSeconds: error.details.retryAfterSeconds ?? 2, extensions },
  );
}
