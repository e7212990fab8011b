/** The receiver's HTTP API: takes orders in and tells what became of them. */

import type { Broker } from "@parallax/messaging";
import {
  createApp,
  type Logger,
  type Metrics,
  NotFound,
  Router,
  type ServiceState,
  type Tracing,
} from "@parallax/service";
import { orderIdSchema } from "../domain/order.ts";
import type { OrderStore } from "../domain/ports.ts";
import { createIdempotency, type IdempotencyParts } from "./idempotency.ts";
import { placeOrderAsync } from "./place-order-async.ts";
import { placeOrderSync } from "./place-order-sync.ts";
import type { SyncDesk } from "./sync-desk.ts";

export interface ReceiverParts {
  readonly broker: Broker;
  readonly store: OrderStore;
  readonly desk: SyncDesk;
  readonly idempotency: Omit<IdempotencyParts, "metrics">;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
  readonly maxInFlight: number;
}

export function createReceiver(parts: ReceiverParts) {
  const { broker, store, desk, logger, metrics, maxInFlight } = parts;
  const router = new Router<ServiceState>();
  const idempotent = createIdempotency({ ...parts.idempotency, metrics });

  router.post("/orders/async", idempotent(placeOrderAsync({ broker, metrics })));
  router.post("/orders/sync", idempotent(placeOrderSync(desk)));

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
    tracing: parts.tracing,
    maxInFlight,
    readiness: [
      { name: "broker", check: () => broker.check() },
      { name: "database", check: () => store.check() },
    ],
  });
}
