/** The payment provider's process. */

import { openDatabase } from "@parallax/postgres";
import { createMetrics, listen, type ServiceParts, serviceMain } from "@parallax/service";
import { LEDGER_SCHEMA, ledgerMigrations, postgresLedger } from "../adapters/ledgers.ts";
import { createPayments } from "./app.ts";
import { type PaymentsConfig, paymentsConfig } from "./config.ts";

async function start(config: PaymentsConfig, parts: ServiceParts) {
  const { logger, releasers, tracing } = parts;
  const pool = await openDatabase(
    config,
    { applicationName: "payments", schema: LEDGER_SCHEMA, migrations: ledgerMigrations },
    parts,
  );
  const app = createPayments({
    ledger: postgresLedger(pool),
    logger,
    metrics: createMetrics("orders-payments"),
    tracing,
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
