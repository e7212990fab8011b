/** The receiver as shipped, with validation, metrics and logs; its orders and keys are kept in memory. */

import { randomUUID } from "node:crypto";
import type { Broker } from "@parallax/messaging";
import { createLogger, createMetrics } from "@parallax/service";
import { httpPaymentProvider } from "../../services/orders/src/adapters/http-payment-provider.ts";
import { MemoryIdempotencyKeys } from "../../services/orders/src/adapters/idempotency-keys.ts";
import { MemoryOrderStore } from "../../services/orders/src/adapters/memory-order-store.ts";
import { createReceiver } from "../../services/orders/src/receiver/app.ts";
import { SyncDesk } from "../../services/orders/src/receiver/sync-desk.ts";

export function benchReceiver(broker: Broker) {
  const logger = createLogger({ name: "orders-receiver", level: "info" });
  const metrics = createMetrics("orders-receiver");
  const store = new MemoryOrderStore();
  const instance = randomUUID();
  const desk = new SyncDesk({
    store,
    payments: httpPaymentProvider({ url: "http://127.0.0.1:1", connections: 1, timeoutSeconds: 1 }),
    instance,
    abandon: "drop",
    timeoutSeconds: 1,
    limit: 1,
    logger,
    metrics,
    onUnsettled() {},
  });

  const idempotency = {
    keys: new MemoryIdempotencyKeys(),
    instance,
    lockSeconds: 60,
    retryLater() {},
  };

  return createReceiver({ broker, store, desk, idempotency, logger, metrics, maxInFlight: 2000 });
}
