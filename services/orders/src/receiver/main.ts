/** The receiver's process. */

import { createMetrics, listen, type ServiceParts, serviceMain } from "@parallax/service";
import { connectBroker } from "../adapters/broker-environment.ts";
import { openDatabase } from "../adapters/database.ts";
import { ORDERS_SCHEMA, orderMigrations, postgresOrderStore } from "../adapters/postgres-order-store.ts";
import { prepareInBackground } from "../adapters/prepare-broker.ts";
import { createReceiver } from "./app.ts";
import { type ReceiverConfig, receiverConfig } from "./config.ts";

async function start(config: ReceiverConfig, { logger, releasers }: ServiceParts) {
  const pool = await openDatabase(
    config,
    { applicationName: "receiver", schema: ORDERS_SCHEMA, migrations: orderMigrations },
    { logger, releasers },
  );
  const broker = releasers.add("broker", connectBroker(config), (broker) => broker[Symbol.asyncDispose]());
  releasers.add("broker preparation", prepareInBackground(broker, logger), (preparation) =>
    preparation.stop(),
  );
  const app = createReceiver({
    broker,
    store: postgresOrderStore(pool),
    logger,
    metrics: createMetrics("orders-receiver"),
    maxInFlight: config.MAX_IN_FLIGHT,
  });
  const server = releasers.add(
    "http server",
    await listen(app.callback, { host: config.HOST, port: config.PORT }),
    (server) => server.close(config.SHUTDOWN_GRACE_SECONDS * 900),
  );
  releasers.add("readiness", app, (app) => app.drain());
  return { url: server.url, broker: broker.kind };
}

await serviceMain({ name: "orders-receiver", configure: receiverConfig, start });
