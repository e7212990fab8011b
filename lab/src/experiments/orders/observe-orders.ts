/** Watching orders during a run, and gathering the evidence for its verdict afterwards. */

import { z } from "zod";
import type { Runtime } from "../../runtimes/runtime.ts";
import { brokerAccess, openQueue } from "../../systems/orders/order-queue.ts";
import { judgeOrders } from "../../verdicts/orders-conservation.ts";
import { readJsonLines } from "../answers-file.ts";
import type { Observed, Sample } from "../experiment.ts";
import { watchFunction } from "./in-function.ts";
import { OrdersApi } from "./orders-api.ts";

const answerSchema = z.object({
  id: z.string(),
  op: z.string(),
  status: z.int(),
  answered_id: z.string().optional(),
});
/** What is sampled of orders, beside what each part takes. */
export const orderSamples = [
  { name: "queue_visible", meaning: "orders waiting in the queue" },
  { name: "queue_in_flight", meaning: "orders received by a worker and not yet deleted" },
  { name: "queue_delayed", meaning: "orders not yet to be received" },
  { name: "dead_lettered", meaning: "orders in the dead-letter queue" },
  { name: "charges", meaning: "charges in the payment provider's ledger", cumulative: true },
  { name: "payments_waiting", meaning: "payments waiting for a line" },
  { name: "payments_in_progress", meaning: "payments being made" },
] as const satisfies readonly Sample[];

const MOST_DEAD_LETTERS = 10_000;

export async function observeOrders(runtime: Runtime): Promise<Observed> {
  const api = OrdersApi.of(runtime);
  // The one that the services use by now: the experiment has configured them.
  const queue = openQueue(await brokerAccess(runtime));
  const { last_seq: before } = await api.ledgerSummary();
  const inFunction = await watchFunction(runtime, async () => (await api.ledgerSummary()).charges);

  return {
    async sample() {
      const [depth, ledger] = await Promise.all([queue.depth(), api.ledgerSummary()]);
      const row: Record<(typeof orderSamples)[number]["name"], number> = {
        queue_visible: depth.visible,
        queue_in_flight: depth.inFlight,
        queue_delayed: depth.delayed,
        dead_lettered: depth.deadLettered,
        charges: ledger.charges,
        payments_waiting: ledger.waiting,
        payments_in_progress: ledger.in_progress,
      };
      return row;
    },

    async drained() {
      const { visible, inFlight, delayed } = await queue.depth();
      return visible + inFlight + delayed === 0 && !(await inFunction.busy());
    },

    async left() {
      const { visible, inFlight, delayed } = await queue.depth();
      return { count: visible + inFlight + delayed, what: "orders" };
    },

    async judge({ answersFile, requests, drained, signal }) {
      const { values: answers, unreadable } = await readJsonLines(answersFile, answerSchema);
      const ledger = await api.chargesAfter(before);
      // Also those that were never answered 202, and those that only the ledger knows: nothing escapes.
      const ids = new Set([...answers.map(({ id }) => id), ...ledger.map(({ order_id }) => order_id)]);
      const [orders, deadLetters] = await Promise.all([
        api.findOrders(ids, signal),
        queue.deadLetters(MOST_DEAD_LETTERS),
      ]);
      const deadLettered = deadLetters.map(({ body }) => orderIdOf(body));
      return judgeOrders({
        answers,
        unreadableAnswers: unreadable,
        requests,
        orders,
        deadLettered,
        allDeadLetters: deadLetters.length < MOST_DEAD_LETTERS,
        ledger,
        drained,
      });
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([api[Symbol.asyncDispose](), queue[Symbol.asyncDispose]()]);
    },
  };
}

function orderIdOf(body: string): string | null {
  try {
    const { order } = JSON.parse(body) as { order?: { order_id?: unknown } };
    return typeof order?.order_id === "string" ? order.order_id : null;
  } catch {
    return null;
  }
}
