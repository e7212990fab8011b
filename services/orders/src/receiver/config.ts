/** The receiver's configuration. */

import { configure, fields } from "@parallax/service";
import { z } from "zod";
import { brokerVariables, consumerVariables, withBrokerChecked } from "../adapters/broker-environment.ts";
import { commonVariables } from "../adapters/environment.ts";

/** Every variable that it reads. */
export const receiverVariables = z.object({
  ...commonVariables,
  ...brokerVariables,
  ...consumerVariables,
  PORT: fields.port().default(8080),
  MAX_IN_FLIGHT: fields.integer({ min: 1, max: 100_000 }).default(2000),
  PAYMENTS_URL: fields.url(["http", "https"]),
  SYNC_ABANDON: z.enum(["drop", "keep"]).default("drop"),
  /** Seconds that a customer may wait for a payment. */
  SYNC_TIMEOUT_SECONDS: fields.integer({ min: 1, max: 3600 }).default(300),
  /** Customers who may wait at once; fewer than requests in flight, so that they leave room for the others. */
  SYNC_LIMIT: fields.integer({ min: 1, max: 10_000 }).default(1000),
});

const checked = withBrokerChecked(receiverVariables).refine(
  ({ SYNC_LIMIT, MAX_IN_FLIGHT }) =>
    // One that is wrong by itself is told already.
    typeof SYNC_LIMIT !== "number" || typeof MAX_IN_FLIGHT !== "number" || SYNC_LIMIT < MAX_IN_FLIGHT,
  {
    path: ["SYNC_LIMIT"],
    message:
      "must be less than MAX_IN_FLIGHT (2000, if not set), so that those who wait leave room for others",
    when: () => true,
  },
);

/** @throws ConfigError listing all that is wrong at once */
export function receiverConfig(env: NodeJS.ProcessEnv) {
  return configure(checked, env);
}

export type ReceiverConfig = ReturnType<typeof receiverConfig>;
