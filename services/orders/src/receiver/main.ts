/** The receiver's process. */

import { randomUUID } from "node:crypto";
import { openDatabase } from "@parallax/postgres";
import { createMetrics, listen, type Metrics, type ServiceParts, serviceMain } from "@parallax/service";
import type pg from "pg";
import { connectBroker } from "../adapters/broker-environment.ts";
import { httpPaymentProvider } from "../adapters/http-payment-provider.ts";
import { postgresIdempotencyKeys } from "../adapters/idempotency-keys.ts";
import { postgresLeases } from "../adapters/postgres-leases.ts";
import { ORDERS_SCHEMA, orderMigrations, postgresOrderStore } from "../adapters/postgres-order-store.ts";
import { prepareInBackground } from "../adapters/prepare-broker.ts";
import type { IdempotencyKeys } from "../domain/ports.ts";
import { createReceiver } from "./app.ts";
import { type ReceiverConfig, receiverConfig } from "./config.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { SyncDesk } from "./sync-desk.ts";

async function start(config: ReceiverConfig, parts: ServiceParts) {
  const { logger, releasers, tracing } = parts;
  const metrics = createMetrics("orders-receiver");
  const pool = await openDatabase(
    config,
    { applicationName: "receiver", schema: ORDERS_SCHEMA, migrations: orderMigrations },
    parts,
  );
  const store = postgresOrderStore(pool);
  const broker = releasers.add("broker", connectBroker(config, tracing), (broker) =>
    broker[Symbol.asyncDispose](),
  );
  releasers.add("broker preparation", prepareInBackground(broker, logger), (preparation) =>
    preparation.stop(),
  );
  const keys = postgresIdempotencyKeys(pool);
  const { desk, instance, retryLater } = await openSyncDesk(config, { ...parts, metrics, pool, keys });
  const app = createReceiver({
    broker,
    store,
    desk,
    idempotency: {
      keys,
      instance,
      // A customer waits so long, and a payment that has begun by then is seen through.
      lockSeconds: config.SYNC_TIMEOUT_SECONDS + 120,
      retryLater,
    },
    logger,
    metrics,
    tracing,
    maxInFlight: config.MAX_IN_FLIGHT,
  });
  const server = releasers.add(
    "http server",
    await listen(app.callback, { host: config.HOST, port: config.PORT }),
    // Together: those who wait are told while there is still a connection to tell them by.
    async (server) => {
      const served = server.close(config.SHUTDOWN_GRACE_SECONDS * 700);
      await Promise.all([served, desk.stop(config.SHUTDOWN_GRACE_SECONDS * 550)]);
    },
  );
  releasers.add("readiness", app, (app) => app.drain());
  return { url: server.url, broker: broker.kind };
}

/** What customers need who wait for their payment: the provider, and somebody who settles what they leave behind. */
async function openSyncDesk(
  config: ReceiverConfig,
  parts: ServiceParts & { metrics: Metrics; pool: pg.Pool; keys: IdempotencyKeys },
) {
  const { logger, releasers, tracing, metrics, pool, keys } = parts;
  const instance = randomUUID();
  const store = postgresOrderStore(pool);
  const payments = releasers.add(
    "payment provider",
    httpPaymentProvider({
      url: config.PAYMENTS_URL,
      connections: config.SYNC_LIMIT,
      // The desk gives up first; this ends what does not answer even then.
      timeoutSeconds: config.SYNC_TIMEOUT_SECONDS + 60,
      tracing,
    }),
    (payments) => payments[Symbol.asyncDispose](),
  );
  const leases = postgresLeases(pool);
  const housekeeping = createHousekeeping({ store, payments, leases, keys, instance, logger, metrics });
  releasers.add("housekeeping", housekeeping, (housekeeping) => housekeeping.stop());
  await housekeeping.start();
  const desk = new SyncDesk({
    store,
    payments,
    instance,
    abandon: config.SYNC_ABANDON,
    timeoutSeconds: config.SYNC_TIMEOUT_SECONDS,
    limit: config.SYNC_LIMIT,
    logger,
    metrics,
    onUnsettled: housekeeping.onUnsettled,
  });
  return { desk, instance, retryLater: housekeeping.retryLater };
}

await serviceMain({ name: "orders-receiver", configure: receiverConfig, start });
