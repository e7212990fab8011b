/** The processor's configuration. */

import { configure, fields } from "@parallax/service";
import { z } from "zod";
import { brokerVariables } from "../adapters/broker-environment.ts";
import { commonVariables } from "../adapters/environment.ts";

/** Every variable that it reads. */
export const processorVariables = z.object({
  ...commonVariables,
  ...brokerVariables,
  PORT: fields.port().default(8091),
  NUM_WORKERS: fields.integer({ min: 1, max: 1000 }).default(20),
  PAYMENTS_URL: fields.url(["http", "https"]),
  PAYMENT_TIMEOUT_SECONDS: fields.integer({ min: 1, max: 3600 }).default(900),
});

export function processorConfig(env: NodeJS.ProcessEnv) {
  return configure(processorVariables, env);
}

export type ProcessorConfig = ReturnType<typeof processorConfig>;
