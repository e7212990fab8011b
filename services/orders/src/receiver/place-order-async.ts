/** `POST /orders/async`: the order is taken by the broker, and paid later. */

import { randomUUIDv7 } from "node:crypto";
import { type Broker, BrokerUnavailable } from "@parallax/messaging";
import {
  DependencyUnavailable,
  isoNow,
  type Metrics,
  type TraceContext,
  traceparent,
  validate,
} from "@parallax/service";
import { acceptOrder, type Order, orderRequestSchema } from "../domain/order.ts";
import { encodeOrder } from "../domain/order-message.ts";
import type { PlaceOrder } from "./idempotency.ts";

export function placeOrderAsync({ broker, metrics }: { broker: Broker; metrics: Metrics }): PlaceOrder {
  const accepted = metrics.counter("orders_accepted_total", "Orders that were answered 202.");

  // 202 says that the broker has the order, so it is answered only after the broker has acknowledged it.
  return async (ctx, body, orderId) => {
    const request = validate(orderRequestSchema, body);
    const order = acceptOrder(request, request.order_id ?? orderId ?? randomUUIDv7(), isoNow());
    ctx.state.log = { order_id: order.order_id };
    await publish(broker, order, ctx.state.trace);
    accepted.inc();
    ctx.status = 202;
    ctx.set("Location", `/orders/${order.order_id}`);
    ctx.body = { order_id: order.order_id, status: "accepted" };
  };
}

async function publish(broker: Broker, order: Order, trace: TraceContext): Promise<void> {
  try {
    await broker.publish(encodeOrder(order, traceparent(trace)));
  } catch (error) {
    if (!(error instanceof BrokerUnavailable)) throw error;
    // A broker that was too slow to answer may have the order. With the same id a second copy has no effect.
    throw new DependencyUnavailable(
      `The broker has not acknowledged the order. Send it again with the order_id ${order.order_id}.`,
      { cause: error, retryAfterSeconds: 2, extensions: { order_id: order.order_id } },
    );
  }
}
