/**
 * The orders system's services as parts: what they read from their environment, and nothing they could tell the runtime
 * by.
 */
import { join } from "node:path";
import { awsRegion } from "../../engines/emulator.ts";
import { rootDir } from "../../paths.ts";
import type { Settings } from "../../settings.ts";
import { childEnvironment } from "../../util/run-command.ts";
import type { PartPlan } from "./plan.ts";
import type { WantedVariables } from "./unlike-settings.ts";

const graceSeconds = 25;
// A little more than a service gives itself, so that it ends by itself.
const stopGrace = 30_000;

/** @param databaseUrl with credentials */
export function ordersParts(settings: Settings, databaseUrl: string): PartPlan[] {
  const { ports, orders } = settings;
  const database = { DATABASE_URL: databaseUrl };
  // An emulator is there with one of the brokers only; Redis with both, so that an experiment can compare them in one lab.
  const brokerEngines = settings.broker === "sns-sqs" ? ["redis", "emulator"] : ["redis"];
  const brokerClient = {
    BROKER: settings.broker,
    ...(settings.broker === "sns-sqs" ? awsVariables(settings) : {}),
    REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
    VISIBILITY_TIMEOUT_SECONDS: String(orders.visibilitySeconds),
    PAYMENTS_URL: `http://127.0.0.1:${ports.ordersPayments}`,
  };
  return [
    service(settings, "receiver", ports.ordersReceiver, ["postgres", ...brokerEngines], {
      ...brokerClient,
      ...database,
      CONSUMER: settings.consumer,
      SYNC_ABANDON: orders.syncAbandon,
    }),
    service(settings, "payments", ports.ordersPayments, ["postgres"], {
      ...database,
      PAYMENT_SECONDS: String(orders.paymentSeconds),
      PAYMENT_CONCURRENCY: String(orders.paymentConcurrency),
    }),
    service(settings, "processor", ports.ordersProcessor, ["postgres", ...brokerEngines], {
      ...brokerClient,
      ...database,
      NUM_WORKERS: String(orders.numWorkers),
    }),
  ];
}

/** What settings decide beside addresses; some of them by part. */
const CHOSEN = [
  "NUM_WORKERS",
  "PAYMENT_SECONDS",
  "PAYMENT_CONCURRENCY",
  "VISIBILITY_TIMEOUT_SECONDS",
  "SYNC_ABANDON",
  "LOG_LEVEL",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
] as const;
/** One that may be given to any service, or to none. */
const OPTIONAL: readonly string[] = ["OTEL_EXPORTER_OTLP_ENDPOINT"];

/** By part, without what is secret. */
export function chosenVariables(settings: Settings): WantedVariables {
  const chosen = ordersParts(settings, "").map(({ name: part, environment }) => {
    const names = CHOSEN.filter((name) => name in environment || OPTIONAL.includes(name));
    return [part, Object.fromEntries(names.map((name) => [name, environment[name]]))] as const;
  });
  return Object.fromEntries(chosen);
}

function awsVariables({ ports }: Settings) {
  return {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${ports.emulator}`,
    AWS_REGION: awsRegion,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    // fauxqs does not notice that the caller of a long poll has gone, and hides from others what arrives during
    // the rest of it. With AWS's 20 s, each restart of a consumer would delay orders by a visibility timeout.
    RECEIVE_WAIT_SECONDS: "1",
  };
}

/** Names, ports and the variables that move them. */
export function ordersPorts(settings: Settings) {
  const { ports } = settings;
  return [
    { name: "orders-receiver", port: ports.ordersReceiver, portVariable: "ORDERS_RECEIVER_PORT" },
    { name: "orders-payments", port: ports.ordersPayments, portVariable: "ORDERS_PAYMENTS_PORT" },
    { name: "orders-processor", port: ports.ordersProcessor, portVariable: "ORDERS_PROCESSOR_PORT" },
  ];
}

function service(
  settings: Settings,
  part: string,
  port: number,
  dependsOn: readonly string[],
  environment: Record<string, string>,
): PartPlan {
  const url = `http://127.0.0.1:${port}`;
  return {
    name: `orders-${part}`,
    kind: "service",
    command: process.execPath,
    args: [join(rootDir, "services", "orders", "src", part, "main.ts")],
    cwd: rootDir,
    environment: {
      ...childEnvironment(process.env),
      NODE_ENV: "production",
      HOST: "127.0.0.1",
      PORT: String(port),
      LOG_LEVEL: settings.logLevel,
      SHUTDOWN_GRACE_SECONDS: String(graceSeconds),
      ...(settings.traceCollector === undefined
        ? {}
        : { OTEL_EXPORTER_OTLP_ENDPOINT: settings.traceCollector }),
      ...environment,
    },
    port,
    portVariable: `ORDERS_${part.toUpperCase()}_PORT`,
    url,
    version: `node ${process.versions.node}`,
    probe: { type: "http", url: `${url}/health/ready` },
    readyTimeout: 30_000,
    stopSignal: "SIGTERM",
    stopGrace,
    dependsOn,
  };
}
