/**
 * The function's process: what is made here is made once per execution environment, before its first event, and used by all that
 * follow. Lambda looks for the export `handler`. A wrong configuration ends the init with one error that says all of it.
 *
 * The tables are there already: the receiver makes them before anything can be published.
 */

import { openPool } from "@parallax/postgres";
import { createLogger } from "@parallax/service";
import { httpPaymentProvider } from "../adapters/http-payment-provider.ts";
import { postgresOrderStore } from "../adapters/postgres-order-store.ts";
import { configureFromEnv } from "./config.ts";
import { createHandler } from "./handler.ts";

/** An environment has one event at a time, nearly always of one order. */
const CONNECTIONS = 1;
/** A connection that died while the environment was frozen answers nothing: there must be time left to try a new one. */
const STATEMENT_MS = 2000;

const config = configureFromEnv(process.env);
// Straight to standard output: an environment may be frozen as soon as its event is done.
const logger = createLogger({
  name: "orders-processor-lambda",
  level: config.LOG_LEVEL,
  destination: process.stdout,
});
const pool = openPool(
  {
    url: config.DATABASE_URL,
    poolSize: CONNECTIONS,
    applicationName: "processor-lambda",
    statementMs: STATEMENT_MS,
  },
  logger,
);
const payments = httpPaymentProvider({
  url: config.PAYMENTS_URL,
  connections: CONNECTIONS,
  timeoutSeconds: config.PAYMENT_TIMEOUT_SECONDS,
});

export const handler = createHandler({
  store: postgresOrderStore(pool),
  payments,
  logger,
  initMs: Math.round(performance.now() * 100) / 100,
});
