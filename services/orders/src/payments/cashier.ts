/**
 * Charges an order once, whoever asks and however often. Requests for an order that is being charged join
 * the charge under way; an order that has been charged gets the same charge again.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Conflict } from "@parallax/service";
import type { Charge, Ledger } from "../domain/ports.ts";
import type { Line } from "./line.ts";

export interface ChargeRequest {
  readonly order_id: string;
  readonly amount_minor: number;
}

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
   * @throws Conflict when the order is charged with another amount; Overloaded; DependencyUnavailable
   */
  async charge(request: ChargeRequest, signal: AbortSignal): Promise<{ charge: Charge; repeated: boolean }> {
    let joined = this.#underWay.get(request.order_id);
    if (!joined) {
      const standing = await this.#options.ledger.find(request.order_id);
      if (standing) return { charge: sameAmount(standing, request), repeated: true };
      // Somebody else may have begun it in the meantime, and whoever asks may have gone.
      joined = this.#underWay.get(request.order_id);
    }
    signal.throwIfAborted();
    if (joined && joined.amountMinor !== request.amount_minor) throw otherAmount(request);
    const underWay = joined ?? this.#begin(request);
    return {
      charge: sameAmount(await this.#waitFor(underWay, signal), request),
      repeated: joined !== undefined,
    };
  }

  #begin(request: ChargeRequest): UnderWay {
    const abandoned = new AbortController();
    const { line, ledger, paymentSeconds } = this.#options;
    const charge = line
      .through(async () => {
        abandoned.signal.throwIfAborted();
        underWay.begun = true;
        await sleep(paymentSeconds * 1000);
        return await ledger.record({
          ...request,
          charge_id: randomUUID(),
          charged_at: new Date().toISOString(),
        });
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
    };
    this.#underWay.set(request.order_id, underWay);
    return underWay;
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
        // Forgotten at once, so that whoever comes now begins a new one instead of joining this.
        this.#forget(underWay);
        underWay.abandoned.abort(new Error("Nobody waits for this payment any more"));
      }
    }
  }

  #forget(underWay: UnderWay): void {
    if (this.#underWay.get(underWay.orderId) === underWay) this.#underWay.delete(underWay.orderId);
  }
}

function sameAmount(charge: Charge, request: ChargeRequest): Charge {
  if (charge.amount_minor !== request.amount_minor) throw otherAmount(request);
  return charge;
}

function otherAmount({ order_id }: ChargeRequest): Error {
  return new Conflict(`The order ${order_id} is charged with another amount.`, {
    errors: [
      { field: "amount_minor", pointer: "#/amount_minor", detail: "differs from the charge that stands" },
    ],
  });
}
