/** The payment provider's process. */

import { createMetrics, listen, type ServiceParts, serviceMain } from "@parallax/service";
import { migrate, openPool } from "../adapters/database.ts";
import { LEDGER_SCHEMA, ledgerMigrations, postgresLedger } from "../adapters/ledgers.ts";
import { createPayments } from "./app.ts";
import { type PaymentsConfig, paymentsConfig } from "./config.ts";

async function start(config: PaymentsConfig, { logger, releasers }: ServiceParts) {
  const pool = releasers.add(
    "database",
    openPool(
      { url: config.DATABASE_URL, poolSize: config.DATABASE_POOL_SIZE, applicationName: "payments" },
      logger,
    ),
    (pool) => pool.end(),
  );
  await migrate(pool, LEDGER_SCHEMA, ledgerMigrations);
  const app = createPayments({
    ledger: postgresLedger(pool),
    logger,
    metrics: createMetrics("orders-payments"),
    paymentSeconds: config.PAYMENT_SECONDS,
    concurrency: config.PAYMENT_CONCURRENCY,
    lineLimit: config.PAYMENT_LINE_LIMIT,
  });
  const server = releasers.add(
    "http server",
    await listen(app.callback, { host: config.HOST, port: config.PORT }),
    (server) => server.close(config.SHUTDOWN_GRACE_SECONDS * 900),
  );
  releasers.add("readiness", app, (app) => app.drain());
  return { url: server.url };
}

await serviceMain({ name: "orders-payments", configure: paymentsConfig, start });
