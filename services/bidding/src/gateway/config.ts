/** The gateway's configuration. */

import { configure, fields, serviceVariables } from "@parallax/service";
import { z } from "zod";
import { MOST_ANSWERS } from "../domain/decide-bid.ts";

/** Every variable that it reads. */
export const gatewayVariables = z.object({
  ...serviceVariables,
  PORT: fields.port().default(8081),
  MAX_IN_FLIGHT: fields.integer({ min: 1, max: 100_000 }).default(20_000),
  REDIS_URL: fields.url(["redis", "rediss"]),
  NATS_URL: fields.url(["nats", "tls"]),
  DATABASE_URL: fields.url(["postgres", "postgresql"]),
  DATABASE_POOL_SIZE: fields.integer({ min: 1, max: 200 }).default(10),
  /** How a bid takes effect in Redis: one script, or WATCH and MULTI, for comparison. */
  BID_METHOD: z.enum(["script", "watch"], "must be script or watch").default("script"),
  /** Events that may wait for the archive; beyond, bids are refused with 503. */
  MOST_UNARCHIVED: fields.integer({ min: 1, max: 10_000_000 }).default(100_000),
  /** Answers that are kept of one auction; beyond, those of refused bids are not. */
  MOST_ANSWERS: fields.integer({ min: 1, max: 100_000_000 }).default(MOST_ANSWERS),
  /** Events on their way to NATS that it has not acknowledged. */
  RELAY_IN_FLIGHT: fields.integer({ min: 1, max: 100_000 }).default(1024),
  /** Within which JetStream takes the same event for the same one. */
  DEDUPE_WINDOW_SECONDS: fields.integer({ min: 1, max: 86_400 }).default(120),
});

/** @throws ConfigError listing all that is wrong at once */
export function gatewayConfig(env: NodeJS.ProcessEnv) {
  return configure(gatewayVariables, env);
}

export type GatewayConfig = ReturnType<typeof gatewayConfig>;
