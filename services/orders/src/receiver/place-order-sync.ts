/** `POST /orders/sync`: the order is paid inside the request, in the provider's line. */

import { randomUUIDv7 } from "node:crypto";
import { callerGone, isoNow, traceparent, validate } from "@parallax/service";
import { acceptOrder, orderRequestSchema } from "../domain/order.ts";
import type { PlaceOrder } from "./idempotency.ts";
import type { SyncDesk } from "./sync-desk.ts";

export function placeOrderSync(desk: SyncDesk): PlaceOrder {
  return async (ctx, body, orderId) => {
    const request = validate(orderRequestSchema, body);
    const order = acceptOrder(request, request.order_id ?? orderId ?? randomUUIDv7(), isoNow());
    ctx.state.log = { order_id: order.order_id };
    ctx.body = await desk.pay(order, { gone: callerGone(ctx), traceparent: traceparent(ctx.state.trace) });
    ctx.set("Location", `/orders/${order.order_id}`);
    ctx.set("Cache-Control", "no-store");
  };
}
