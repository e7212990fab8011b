/**
 * Orders that a Lambda function has in hand are in no queue, so that an empty queue does not say that all is done. Known are the
 * orders that the receiver has accepted since the observation began, and the charges made since.
 */

import { request } from "undici";
import { ORDERS_FUNCTION } from "../../lambda/orders-function.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import { ordersWiring } from "../../systems/orders/order-queue.ts";

const TIMEOUT_MS = 2000;
/** Longer than a function may take, and its environment to be made: what has not ended by then has failed. */
const QUIET_MS = (ORDERS_FUNCTION.timeoutSeconds + 5) * 1000;

export interface InFunction {
  /** Whether the function may still have an order in hand; always false where workers take the orders. */
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
    const [accepted, charged] = await Promise.all([
      acceptedBy(runtime.endpoint("orders-receiver")),
      charges(),
    ]);
    return { accepted, charged };
  };
  const before = await counted();
  let last = { ...before, at: performance.now() };
  return {
    async busy() {
      const now = await counted();
      if (now.accepted !== last.accepted || now.charged !== last.charged)
        last = { ...now, at: performance.now() };
      if (now.charged - before.charged >= now.accepted - before.accepted) return false;
      return performance.now() - last.at < quietMs;
    },
  };
}

/** Orders that were answered 202 since the receiver started. */
async function acceptedBy(receiver: string): Promise<number> {
  const { body } = await request(`${receiver}/metrics`, {
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  return Number(/^orders_accepted_total(?:\{.*\})? (\d+)/m.exec(await body.text())?.[1] ?? 0);
}
