/**
 * The witness of a fault: places orders as a client, keeps what it was told, and has the conservation check judge what came
 * of it by the payment provider's ledger. Prints the count.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { QueueOperator } from "@parallax/messaging";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import type { OrdersApi } from "../../../lab/src/experiments/orders/orders-api.ts";
import { judgeOrders, type OrderAnswer } from "../../../lab/src/verdicts/orders-conservation.ts";
import type { Verdict } from "../../../lab/src/verdicts/verdict.ts";

/** What the witness needs of a lab, whatever it runs on. */
export interface Watched {
  readonly broker: string;
  readonly runtimeName: string;
  readonly receiverUrl: string;
  readonly api: OrdersApi;
  readonly operator: QueueOperator;
}

export interface Count {
  readonly accepted: number;
  readonly completed: number;
  readonly charges: number;
  readonly dead_lettered: number;
  /** How often the processing of an order was begun beyond its first time: duplicates, redeliveries, tries in an outage. */
  readonly begun_again: number;
  /** Processed although no client was told 202. */
  readonly surplus: number;
  readonly lost: number;
}

const ANSWER_MS = 15_000;
const SETTLE_MS = 60_000;
/** Between two tries of a client. */
const PAUSE_MS = 100;
/** Orders under way at once: as many clients. */
const CLIENTS = 20;
const MOST_DEAD_LETTERS = 1000;

export class Witness {
  readonly answers: OrderAnswer[] = [];
  readonly #lab: Watched;
  readonly #since: number;
  readonly #deadBefore: number;

  /** Of what happens from now on. */
  static async begin(lab: Watched): Promise<Witness> {
    const [{ last_seq }, { deadLettered }] = await Promise.all([
      lab.api.ledgerSummary(),
      lab.operator.depth(),
    ]);
    return new Witness(lab, last_seq, deadLettered);
  }

  private constructor(lab: Watched, since: number, deadBefore: number) {
    this.#lab = lab;
    this.#since = since;
    this.#deadBefore = deadBefore;
  }

  /** Sends the order once. Resolves to the status of the answer, 0 when there was none. */
  async place(id: string, headers: Record<string, string> = {}): Promise<number> {
    const answer = await this.#send(id, headers);
    this.answers.push(answer);
    return answer.status;
  }

  /** As a client that does not give up: sends the order again, after a pause, until it is answered 202. */
  async insist(id: string, headers: Record<string, string> = {}): Promise<void> {
    const until = performance.now() + SETTLE_MS;
    while ((await this.place(id, headers)) !== 202) {
      if (performance.now() > until) throw new Error(`The order ${id} was not accepted in ${SETTLE_MS} ms`);
      await pause(PAUSE_MS);
    }
  }

  /** Places `count` orders by a few clients at once. Resolves to the ids that were accepted. */
  async accept(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    const statuses = await spread(ids, CLIENTS, (id) => this.place(id));
    return ids.filter((_, at) => statuses[at] === 202);
  }

  /** Answers with this status; 0 is none. */
  answered(asked: number): number {
    return this.answers.filter(({ status }) => status === asked).length;
  }

  /** Charges in the ledger since the witness began. */
  async charges(): Promise<number> {
    return (await this.#lab.api.chargesAfter(this.#since)).length;
  }

  /** Of these orders, those that the API calls completed. */
  async completed(ids: Iterable<string>): Promise<number> {
    const found = await this.#lab.api.findOrders(ids);
    return [...found.values()].filter(({ status }) => status === "completed").length;
  }

  /** Dead letters since the witness began; 0 where a broker has lost those that there were before. */
  async deadLetters(): Promise<number> {
    return Math.max(0, (await this.#lab.operator.depth()).deadLettered - this.#deadBefore);
  }

  /**
   * Waits until all that was accepted is completed or dead-lettered, but for `lost` orders; no longer than it can take. An
   * empty queue alone does not tell: what SNS has acknowledged may still be on its way to it.
   */
  async settled(lost = 0): Promise<void> {
    const accepted = this.#accepted();
    await waitFor(
      "all orders to be settled",
      async () => (await this.completed(accepted)) + (await this.deadLetters()) >= accepted.size - lost,
      SETTLE_MS,
    ).catch(() => {
      // The verdict tells which are not.
    });
  }

  /** Waits until nothing is queued and nothing in flight. */
  async drained(): Promise<void> {
    await waitFor(
      "an empty queue",
      async () => {
        const { visible, inFlight, delayed } = await this.#lab.operator.depth();
        return visible + inFlight + delayed === 0;
      },
      SETTLE_MS,
    );
  }

  /** Waits until the queue is empty, prints the count, and fails unless nothing was lost and nothing done twice. */
  async holds(t: Test, fault: string): Promise<Count> {
    const { count, verdict } = await this.#judge(t, fault, 0);
    const wrong = verdict.invariants.filter(({ outcome }) => outcome !== "held");
    t.same(wrong, [], `${fault}: nothing is lost and nothing done twice`);
    return count;
  }

  /**
   * As `holds`, for a broker that keeps nothing: exactly `lost` accepted orders are gone, the verdict says so, and nothing
   * else is wrong.
   */
  async tells(t: Test, fault: string, lost: number): Promise<Count> {
    const { count, verdict } = await this.#judge(t, fault, lost);
    const wrong = verdict.invariants.filter(({ outcome }) => outcome !== "held");
    t.match(wrong, [{ name: "accepted-orders-are-settled", outcome: "broken", counts: { offending: lost } }]);
    t.equal(wrong.length, 1, "nothing but the loss is wrong");
    t.equal(count.lost, lost);
    return count;
  }

  async #judge(t: Test, fault: string, lost: number): Promise<{ count: Count; verdict: Verdict }> {
    await this.settled(lost);
    await this.drained();
    const { api, operator, broker, runtimeName } = this.#lab;
    const ledger = await api.chargesAfter(this.#since);
    const ids = new Set([...this.answers.map(({ id }) => id), ...ledger.map(({ order_id }) => order_id)]);
    const orders = await api.findOrders(ids);
    const letters = await operator.deadLetters(MOST_DEAD_LETTERS);
    const verdict = judgeOrders({
      answers: this.answers,
      unreadableAnswers: 0,
      orders,
      deadLettered: letters.map(({ body }) => orderIdOf(body)),
      allDeadLetters: letters.length < MOST_DEAD_LETTERS,
      ledger,
      drained: true,
    });
    const known = [...orders.values()];
    const settled = verdict.invariants.find(({ name }) => name === "accepted-orders-are-settled");
    const surplus = verdict.observations.find(({ name }) => name === "surplus");
    const count: Count = {
      accepted: this.#accepted().size,
      completed: known.filter(({ status }) => status === "completed").length,
      charges: ledger.length,
      dead_lettered: await this.deadLetters(),
      begun_again: known.reduce((sum, { attempts }) => sum + attempts - 1, 0),
      surplus: surplus?.counts.surplus ?? Number.NaN,
      lost: settled?.counts.offending ?? Number.NaN,
    };
    const figures = Object.entries(count).map(([name, value]) => `${name}=${value}`);
    t.comment(`fault: ${fault} runtime=${runtimeName} broker=${broker} ${figures.join(" ")}`);
    return { count, verdict };
  }

  #accepted(): Set<string> {
    return new Set(this.answers.filter(({ status }) => status === 202).map(({ id }) => id));
  }

  async #send(id: string, headers: Record<string, string>): Promise<OrderAnswer> {
    try {
      const answer = await fetch(`${this.#lab.receiverUrl}/orders/async`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(anOrder(id)),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const { order_id } = (await answer.json()) as { order_id?: string };
      return { id, status: answer.status, answered_id: order_id };
    } catch {
      return { id, status: 0 };
    }
  }
}

/** The body of a request for an order with this id, the same each time. */
export function anOrder(order_id: string) {
  return { order_id, customer_id: "c", items: [{ product_id: "p", quantity: 3, price: 1.25 }] };
}

/** Runs `work` on each item, `atOnce` at the same time; results in the items' order. */
export async function spread<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [at, item] of left) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

function orderIdOf(body: string): string | null {
  try {
    const { order } = JSON.parse(body) as { order?: { order_id?: unknown } };
    return typeof order?.order_id === "string" ? order.order_id : null;
  } catch {
    return null;
  }
}
