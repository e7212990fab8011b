/** The receiver's HTTP API: takes orders in and tells what became of them. */

import { randomUUIDv7 } from "node:crypto";
import { type Broker, BrokerUnavailable } from "@parallax/messaging";
import {
  createApp,
  DependencyUnavailable,
  isoNow,
  jsonBody,
  type Logger,
  type Metrics,
  NotFound,
  Router,
  type ServiceState,
  type TraceContext,
  traceparent,
  validate,
} from "@parallax/service";
import { acceptOrder, type Order, orderIdSchema, orderRequestSchema } from "../domain/order.ts";
import { encodeOrder } from "../domain/order-message.ts";
import type { OrderStore } from "../domain/ports.ts";

export interface ReceiverParts {
  readonly broker: Broker;
  readonly store: OrderStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly maxInFlight: number;
}

export function createReceiver({ broker, store, logger, metrics, maxInFlight }: ReceiverParts) {
  const accepted = metrics.counter("orders_accepted_total", "Orders that were answered 202.");
  const router = new Router<ServiceState>();

  // 202 says that the broker has the order, so it is answered only after the broker has acknowledged it.
  router.post("/orders/async", async (ctx) => {
    const request = validate(orderRequestSchema, await jsonBody(ctx));
    const order = acceptOrder(request, request.order_id ?? randomUUIDv7(), isoNow());
    ctx.state.log = { order_id: order.order_id };
    await publish(broker, order, ctx.state.trace);
    accepted.inc();
    ctx.status = 202;
    ctx.set("Location", `/orders/${order.order_id}`);
    ctx.body = { order_id: order.order_id, status: "accepted" };
  });

  router.get("/orders/:id", async (ctx) => {
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
  });

  return createApp({
    logger,
    metrics,
    router,
    maxInFlight,
    readiness: [
      { name: "broker", check: () => broker.check() },
      { name: "database", check: () => store.check() },
    ],
  });
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
