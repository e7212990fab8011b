/** The processor's process. */

import { openDatabase } from "@parallax/postgres";
import { createMetrics, listen, type ServiceParts, serviceMain } from "@parallax/service";
import { connectBroker } from "../adapters/broker-environment.ts";
import { httpPaymentProvider } from "../adapters/http-payment-provider.ts";
import { ORDERS_SCHEMA, orderMigrations, postgresOrderStore } from "../adapters/postgres-order-store.ts";
import { createProcessorApp } from "./app.ts";
import { type ProcessorConfig, processorConfig, scalingOf } from "./config.ts";
import { startWorkerPool } from "./worker-pool.ts";

async function start(config: ProcessorConfig, parts: ServiceParts) {
  const { logger, releasers, tracing } = parts;
  const metrics = createMetrics("orders-processor");
  const pool = await openDatabase(
    config,
    { applicationName: "processor", schema: ORDERS_SCHEMA, migrations: orderMigrations },
    parts,
  );
  const store = postgresOrderStore(pool);
  const broker = releasers.add("broker", connectBroker(config, tracing), (broker) =>
    broker[Symbol.asyncDispose](),
  );
  const scaling = scalingOf(config);
  const payments = releasers.add(
    "payment provider",
    httpPaymentProvider({
      url: config.PAYMENTS_URL,
      connections: scaling?.most ?? config.NUM_WORKERS,
      timeoutSeconds: config.PAYMENT_TIMEOUT_SECONDS,
      tracing,
    }),
    (payments) => payments[Symbol.asyncDispose](),
  );
  const app = createProcessorApp({ broker, store, logger, metrics, tracing });
  const server = releasers.add(
    "http server",
    await listen(app.callback, { host: config.HOST, port: config.PORT }),
    (server) => server.close(1000),
  );
  releasers.add(
    "worker pool",
    startWorkerPool({
      broker,
      store,
      payments,
      logger,
      metrics,
      workers: config.NUM_WORKERS,
      scaling,
      tracing,
    }),
    // What is not finished by then is handed back, which needs some of the grace too.
    async (workers) =>
      logger.info(await workers.stop(config.SHUTDOWN_GRACE_SECONDS * 800), "workers stopped"),
  );
  releasers.add("readiness", app, (app) => app.drain());
  return { url: server.url, broker: broker.kind, workers: config.NUM_WORKERS };
}

await serviceMain({ name: "orders-processor", configure: processorConfig, start });
