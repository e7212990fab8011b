/** The orders system's services as parts: what they read from their environment. */
import { awsRegion } from "../../engines/emulator.ts";
import type { Settings } from "../../settings.ts";
import type { PartPlan } from "./plan.ts";
import { chosenOf, servicePart } from "./service-part.ts";
import type { WantedVariables } from "./unlike-settings.ts";

/** @param databaseUrl with credentials */
export function ordersParts(settings: Settings, databaseUrl: string): PartPlan[] {
  const { ports, orders } = settings;
  const parts = ordersPorts(settings);
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
    servicePart(settings, {
      ...parts.receiver,
      main: "orders/src/receiver/main.ts",
      dependsOn: ["postgres", ...brokerEngines],
      environment: {
        ...brokerClient,
        ...database,
        CONSUMER: settings.consumer,
        SYNC_ABANDON: orders.syncAbandon,
      },
    }),
    servicePart(settings, {
      ...parts.payments,
      main: "orders/src/payments/main.ts",
      dependsOn: ["postgres"],
      environment: {
        ...database,
        PAYMENT_SECONDS: String(orders.paymentSeconds),
        PAYMENT_CONCURRENCY: String(orders.paymentConcurrency),
      },
    }),
    servicePart(settings, {
      ...parts.processor,
      main: "orders/src/processor/main.ts",
      dependsOn: ["postgres", ...brokerEngines],
      environment: { ...brokerClient, ...database, NUM_WORKERS: String(orders.numWorkers) },
    }),
  ];
}

/** What settings decide of some of them. */
const CHOSEN = [
  "NUM_WORKERS",
  "PAYMENT_SECONDS",
  "PAYMENT_CONCURRENCY",
  "VISIBILITY_TIMEOUT_SECONDS",
  "SYNC_ABANDON",
];

export function ordersVariables(settings: Settings): WantedVariables {
  return chosenOf(ordersParts(settings, ""), CHOSEN);
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
export function ordersPorts({ ports }: Settings) {
  return {
    receiver: { name: "orders-receiver", port: ports.ordersReceiver, portVariable: "ORDERS_RECEIVER_PORT" },
    payments: { name: "orders-payments", port: ports.ordersPayments, portVariable: "ORDERS_PAYMENTS_PORT" },
    processor: {
      name: "orders-processor",
      port: ports.ordersProcessor,
      portVariable: "ORDERS_PROCESSOR_PORT",
    },
  };
}
