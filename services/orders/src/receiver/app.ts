/** The receiver's HTTP API: takes orders in and tells what became of them. */

import type { Broker } from "@parallax/messaging";
import {
  createApp,
  DependencyUnavailable,
  defineApi,
  type Logger,
  type Metrics,
  NotFound,
  type Tracing,
} from "@parallax/service";
import { aboutPart } from "../domain/about.ts";
import { orderRequestSchema } from "../domain/order.ts";
import type { OrderStore } from "../domain/ports.ts";
import { findOrder } from "./find-order.ts";
import { createIdempotency, type IdempotencyParts } from "./idempotency.ts";
import { placeOrderAsync } from "./place-order-async.ts";
import { placeOrderSync } from "./place-order-sync.ts";
import {
  acceptedSchema,
  idempotentOperation,
  noStore,
  orderPathSchema,
  orderSchema,
  placedHeaders,
} from "./schemas.ts";
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
  const idempotent = createIdempotency({ ...parts.idempotency, metrics });

  const api = defineApi(aboutPart("receiver", "Takes orders in and tells what became of them."), [
    {
      method: "post",
      path: "/orders/async",
      id: "placeOrderAsync",
      summary: "Place an order; it is paid later",
      description:
        "Without an `order_id` one is made, a UUIDv7. An order with an id that is there is no second one.",
      ...idempotentOperation,
      body: orderRequestSchema,
      answers: { 202: { description: "The broker has it.", schema: acceptedSchema, headers: placedHeaders } },
      handle: idempotent(placeOrderAsync({ broker, metrics })),
    },
    {
      method: "post",
      path: "/orders/sync",
      id: "placeOrderSync",
      summary: "Place an order and pay for it; the answer waits for the payment",
      description:
        "Whoever hangs up before the payment has begun is not charged (SYNC_ABANDON=drop), or is all the same (keep).",
      ...idempotentOperation,
      body: orderRequestSchema,
      answers: {
        200: { description: "It is paid.", schema: orderSchema, headers: { ...placedHeaders, ...noStore } },
      },
      handle: idempotent(placeOrderSync(desk)),
    },
    {
      method: "get",
      path: "/orders/{id}",
      id: "findOrder",
      summary: "What became of an order",
      params: orderPathSchema,
      answers: { 200: { description: "So far.", schema: orderSchema, headers: noStore } },
      problems: [NotFound, DependencyUnavailable],
      handle: findOrder(store),
    },
  ]);

  return createApp({
    logger,
    metrics,
    router: api.router,
    document: api.document,
    tracing: parts.tracing,
    maxInFlight,
    readiness: [
      { name: "broker", check: () => broker.check() },
      { name: "database", check: () => store.check() },
    ],
  });
}
