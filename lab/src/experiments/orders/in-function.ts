/**
 * Orders that a Lambda function has in hand are in no queue, so that an empty queue does not say that all is done. Known are the
 * orders that the receiver has accepted since the observation began, and the charges made since. A receiver that is restarted
 * counts from 0, and what it accepted since it was last asked is not known: then only the function's patience tells.
 */

import { request } from "undici";
import { LabError } from "../../cli/lab-error.ts";
import { ORDERS_FUNCTION } from "../../lambda/orders-function.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import { ordersWiring } from "../../systems/orders/order-queue.ts";

const TIMEOUT_MS = 2000;
/** Longer than a function may take, and its environment to be made: what has not ended by then has failed. */
const QUIET_MS = (ORDERS_FUNCTION.timeoutSeconds + 5) * 1000;

export interface InFunction {
  /** Whether the function may still have an order in hand; always false where workers take the orders. Rejects when it cannot be known. */
  busy(): Promise<boolean>;
}

/** @param charges charges in the ledger by now */
export async function watchFunction(
  runtime: Pick<Runtime, "endpoint" | "variables">,
  charges: () => Promise<number>,
  quietMs = QUIET_MS,
): Promise<InFunction> {
  if ((await ordersWiring(runtime)).consumer === "workers") return { busy: async () => false };
  const counted = async () => {
    const [receiver, charged] = await Promise.all([
      countedBy(runtime.endpoint("orders-receiver")),
      charges(),
    ]);
    return { ...receiver, charged };
  };
  const before = await counted();
  let last = { ...before, at: performance.now() };
  let accepted = 0;
  let someUnknown = false;
  return {
    async busy() {
      const now = await counted();
      const restarted = now.started !== last.started || now.accepted < last.accepted;
      const more = restarted ? now.accepted : now.accepted - last.accepted;
      const changed = restarted || more > 0 || now.charged !== last.charged;
      accepted += more;
      someUnknown ||= restarted;
      last = { ...now, at: changed ? performance.now() : last.at };
      if (!someUnknown && now.charged - before.charged >= accepted) return false;
      return performance.now() - last.at < quietMs;
    },
  };
}

/** Orders that the receiver has answered 202 since it was started, and when that was, seconds since 1970. */
async function countedBy(receiver: string): Promise<{ accepted: number; started: number }> {
  const { body } = await request(`${receiver}/metrics`, {
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const metrics = await body.text();
  return {
    accepted: metricOf(metrics, "orders_accepted_total"),
    started: metricOf(metrics, "process_start_time_seconds"),
  };
}

/** @throws LabError COMMAND_FAILED when there is no such metric: none is not 0 */
function metricOf(metrics: string, name: string): number {
  const value = new RegExp(`^${name}(?:\\{.*\\})? ([0-9.eE+]+)$`, "m").exec(metrics)?.[1];
  if (value !== undefined && Number.isFinite(Number(value))) return Number(value);
  throw new LabError("COMMAND_FAILED", "It cannot be known whether the function still has orders in hand.", {
    reason: `The receiver does not tell ${name} at /metrics.`,
    remedy: 'See "make status" and "make logs SERVICE=orders-receiver".',
  });
}
