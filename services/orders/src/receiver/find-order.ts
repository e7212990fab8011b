/** `GET /orders/{id}`: what became of an order. */

import { type Context, NotFound } from "@parallax/service";
import { orderIdSchema } from "../domain/order.ts";
import type { OrderStore } from "../domain/ports.ts";

export function findOrder(store: OrderStore) {
  return async (ctx: Context): Promise<void> => {
    const id = orderIdSchema.safeParse(ctx.params.id);
    const order = id.success ? await store.find(id.data) : undefined;
    if (!order) {
      throw new NotFound(
        "No order with this id has been processed yet; an accepted one appears once it is begun.",
      );
    }
    ctx.state.log = { order_id: order.order_id };
    ctx.set("Cache-Control", "no-store");
    ctx.body = order;
  };
}
