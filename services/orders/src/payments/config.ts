/** The payment provider's configuration. */

import { configure, fields } from "@parallax/service";
import { z } from "zod";
import { commonVariables } from "../adapters/environment.ts";

/** Every variable that it reads. */
export const paymentsVariables = z.object({
  ...commonVariables,
  PORT: fields.port().default(8090),
  PAYMENT_SECONDS: fields.number({ min: 0, max: 3600 }).default(3),
  PAYMENT_CONCURRENCY: fields.integer({ min: 0, max: 100_000 }).default(1),
  PAYMENT_LINE_LIMIT: fields.integer({ min: 1, max: 1_000_000 }).default(10_000),
});

export function paymentsConfig(env: NodeJS.ProcessEnv) {
  return configure(paymentsVariables, env);
}

export type PaymentsConfig = ReturnType<typeof paymentsConfig>;
