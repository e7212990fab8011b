/**
 * Charges an order once, whoever asks and however often. Requests for an order that is being charged join
 * the charge under way; an order that has been charged gets the same charge again.
 *
 * Whoever hangs up merely stops waiting: the request may be on its way once more. A cancellation is for good: it
 * closes the order to every attempt up to the one that it names, on record, so that a request which arrives late
 * finds it closed. A payment that has begun is never cancelled.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Cancelled, Conflict } from "@parallax/service";
import type { Cancellation, Charge, ChargeRequest, Ledger } from "../domain/ports.ts";
import type { Line } from "./line.ts";

export interface CashierOptions {
  readonly ledger: Ledger;
  readonly line: Line;
  /** How long one payment takes, in seconds. */
  readonly paymentSeconds: number;
}

interface UnderWay {
  readonly orderId: string;
  readonly amountMinor: number;
  readonly charge: Promise<Charge>;
  /** Aborted when the last one who waited for it has gone. */
  readonly abandoned: AbortController;
  /** Its turn has come: from now on it is finished, whoever waits for it. */
  begun: boolean;
  waiting: number;
  /** The latest attempt that has asked. */
  attempt: number;
  /** Settled, never rejected, once all cancellations under way are on record or have failed. */
  cancelling: Promise<unknown>;
}

export class Cashier {
  readonly #options: CashierOptions;
  readonly #underWay = new Map<string, UnderWay>();

  constructor(options: CashierOptions) {
    this.#options = options;
  }

  /**
   * @param signal aborted when the one who asks has gone; a charge that nobody waits for leaves the line,
   *   one that has begun is finished and recorded all the same
   * @throws Conflict when the order is charged with another amount; Cancelled; Overloaded; DependencyUnavailable
   */
  async charge(request: ChargeRequest, signal: AbortSignal): Promise<{ charge: Charge; repeated: boolean }> {
    let joined = this.#underWay.get(request.order_id);
    if (!joined) {
      const standing = await this.#options.ledger.standing(request.order_id);
      if (standing.charge) return { charge: sameAmount(standing.charge, request), repeated: true };
      if (request.attempt <= standing.closedThrough) throw cancelled(request.order_id);
      // Somebody else may have begun it in the meantime, and whoever asks may have gone.
      joined = this.#underWay.get(request.order_id);
    }
    signal.throwIfAborted();
    if (joined && joined.amountMinor !== request.amount_minor) throw otherAmount(request);
    const underWay = joined ?? this.#begin(request);
    underWay.attempt = Math.max(underWay.attempt, request.attempt);
    return {
      charge: sameAmount(await this.#waitFor(underWay, signal), request),
      repeated: joined !== undefined,
    };
  }

  /**
   * Sees to it that no attempt up to `attempt` charges the order, unless it is too late for that.
   * @throws DependencyUnavailable: anything may have come of it
   */
  async cancel(orderId: string, attempt: number): Promise<Cancellation> {
    const underWay = this.#underWay.get(orderId);
    if (underWay && underWay.attempt > attempt) return { status: "superseded" };
    if (underWay?.begun) return { status: "in_progress" };
    const closing = this.#options.ledger.close(orderId, attempt);
    if (underWay) {
      // Its turn may come meanwhile: it waits, so that what is being cancelled does not begin.
      underWay.cancelling = Promise.allSettled([underWay.cancelling, closing]);
    }
    const charge = await closing;
    if (charge) return { status: "charged", charge };
    if (!underWay) return { status: "dropped" };
    if (underWay.attempt > attempt) return { status: "superseded" };
    this.#drop(underWay, cancelled(orderId));
    return { status: "dropped" };
  }

  #begin(request: ChargeRequest): UnderWay {
    const abandoned = new AbortController();
    const { line } = this.#options;
    const charge = line
      .through(async () => {
        await underWay.cancelling;
        abandoned.signal.throwIfAborted();
        underWay.begun = true;
        return await this.#pay(underWay);
      }, abandoned.signal)
      .finally(() => this.#forget(underWay));
    // Whoever waits sees the failure; when nobody does any more, it is no unhandled one.
    charge.catch(() => {});
    const underWay: UnderWay = {
      orderId: request.order_id,
      amountMinor: request.amount_minor,
      charge,
      abandoned,
      begun: false,
      waiting: 0,
      attempt: request.attempt,
      cancelling: Promise.resolve(),
    };
    this.#underWay.set(request.order_id, underWay);
    return underWay;
  }

  async #pay(underWay: UnderWay): Promise<Charge> {
    const { orderId, amountMinor } = underWay;
    await sleep(this.#options.paymentSeconds * 1000);
    const charge = { charge_id: randomUUID(), order_id: orderId, amount_minor: amountMinor };
    return await this.#options.ledger.record(
      { ...charge, charged_at: new Date().toISOString() },
      underWay.attempt,
    );
  }

  async #waitFor(underWay: UnderWay, signal: AbortSignal): Promise<Charge> {
    const gone = Promise.withResolvers<never>();
    const leave = () => gone.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    underWay.waiting += 1;
    try {
      return await Promise.race([underWay.charge, gone.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      underWay.waiting -= 1;
      if (underWay.waiting === 0 && !underWay.begun) {
        this.#drop(underWay, new Error("Nobody waits for this payment any more"));
      }
    }
  }

  #drop(underWay: UnderWay, why: Error): void {
    // Forgotten at once, so that whoever comes now begins a new one instead of joining this.
    this.#forget(underWay);
    underWay.abandoned.abort(why);
  }

  #forget(underWay: UnderWay): void {
    if (this.#underWay.get(underWay.orderId) === underWay) this.#underWay.delete(underWay.orderId);
  }
}

function sameAmount(charge: Charge, request: ChargeRequest): Charge {
  if (charge.amount_minor !== request.amount_minor) throw otherAmount(request);
  return charge;
}

function cancelled(orderId: string): Error {
  return new Cancelled(`The payment for ${orderId} was cancelled; nothing is charged.`);
}

function otherAmount({ order_id }: ChargeRequest): Error {
  return new Conflict(`The order ${order_id} is charged with another amount.`, {
    errors: [
      { field: "amount_minor", pointer: "#/amount_minor", detail: "differs from the charge that stands" },
    ],
  });
}
