/** The function's configuration: the environment variables that it is deployed with. */

import { configure, fields } from "@parallax/service";
import { z } from "zod";

/** Every variable that it reads. */
export const functionVariables = z.object({
  DATABASE_URL: fields.url(["postgres", "postgresql"]),
  PAYMENTS_URL: fields.url(["http", "https"]),
  /** Less than the function's own 10 s, so that it can still say why it fails. */
  PAYMENT_TIMEOUT_SECONDS: fields.integer({ min: 1, max: 9 }).default(8),
  LOG_LEVEL: fields.logLevel().default("info"),
});

/** @throws ConfigError listing all that is wrong at once */
export function configureFromEnv(env: NodeJS.ProcessEnv) {
  return configure(functionVariables, env);
}

export type FunctionConfig = ReturnType<typeof configureFromEnv>;
