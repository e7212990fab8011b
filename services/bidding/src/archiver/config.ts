/** The archiver's configuration. */

import { configure, fields, serviceVariables } from "@parallax/service";
import { z } from "zod";

/** Every variable that it reads. */
export const archiverVariables = z.object({
  ...serviceVariables,
  PORT: fields.port().default(8083),
  REDIS_URL: fields.url(["redis", "rediss"]),
  NATS_URL: fields.url(["nats", "tls"]),
  DATABASE_URL: fields.url(["postgres", "postgresql"]),
  DATABASE_POOL_SIZE: fields.integer({ min: 1, max: 200 }).default(4),
  /** Events that are written together at the most. */
  ARCHIVE_BATCH: fields.integer({ min: 1, max: 10_000 }).default(1000),
  /** How long the first event of a batch waits for others, in milliseconds. */
  ARCHIVE_WAIT_MS: fields.integer({ min: 0, max: 60_000 }).default(50),
  /** How long Redis keeps an auction after its end has been archived. */
  RETENTION_SECONDS: fields.integer({ min: 1, max: 31_536_000 }).default(86_400),
  /** As the gateway's: either of them makes the stream of events. */
  DEDUPE_WINDOW_SECONDS: fields.integer({ min: 1, max: 86_400 }).default(120),
});

/** @throws ConfigError listing all that is wrong at once */
export function archiverConfig(env: NodeJS.ProcessEnv) {
  return configure(archiverVariables, env);
}

export type ArchiverConfig = ReturnType<typeof archiverConfig>;
