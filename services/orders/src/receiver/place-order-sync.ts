/** `POST /orders/sync`: the order is paid inside the request, in the provider's line. */

import { randomUUIDv7 } from "node:crypto";
import { type Context, callerGone, isoNow, jsonBody, traceparent, validate } from "@parallax/service";
import { acceptOrder, orderRequestSchema } from "../domain/order.ts";
import type { SyncDesk } from "./sync-desk.ts";

export function placeOrderSync(desk: SyncDesk) {
  return async (ctx: Context): Promise<void> => {
    const request = validate(orderRequestSchema, await jsonBody(ctx));
    const order = acceptOrder(request, request.order_id ?? randomUUIDv7(), isoNow());
    ctx.state.log = { order_id: order.order_id };
    ctx.body = await desk.pay(order, { gone: callerGone(ctx), traceparent: traceparent(ctx.state.trace) });
    ctx.set("Location", `/orders/${order.order_id}`);
    ctx.set("Cache-Control", "no-store");
  };
}
