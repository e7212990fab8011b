/** The broadcaster's configuration. */

import { configure, fields, serviceVariables } from "@parallax/service";
import { z } from "zod";

const origins = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== ""),
  )
  .refine(
    (each) => each.every((origin) => URL.parse(origin)?.origin === origin),
    "must be a list of origins such as https://auctions.example, with commas between them and no path",
  );

/** Every variable that it reads. */
export const broadcasterVariables = z.object({
  ...serviceVariables,
  PORT: fields.port().default(8082),
  REDIS_URL: fields.url(["redis", "rediss"]),
  NATS_URL: fields.url(["nats", "tls"]),
  /** Where bids and questions that come here are sent on to. */
  GATEWAY_URL: fields.url(["http", "https"]),
  /** Frames a second and auction at the most; 0: one for each event, to compare with. */
  BROADCAST_HZ: fields.integer({ min: 0, max: 1000 }).default(20),
  /** Origins whose pages may watch, besides those that this service serves itself. */
  ALLOWED_ORIGINS: origins.default([]),
  MOST_WATCHERS: fields.integer({ min: 1, max: 200_000 }).default(20_000),
  /** Bytes that may wait for one watcher before it is cut off. */
  MOST_BUFFERED_BYTES: fields.integer({ min: 1024, max: 1024 ** 3 }).default(1024 ** 2),
  /** Under a load balancer's 60 s, which cuts connections that are silent. */
  PING_SECONDS: fields.integer({ min: 1, max: 3600 }).default(25),
  /** How often watched auctions are held against Redis. */
  RECONCILE_SECONDS: fields.number({ min: 0.05, max: 3600 }).default(1),
});

/** @throws ConfigError listing all that is wrong at once */
export function broadcasterConfig(env: NodeJS.ProcessEnv) {
  return configure(broadcasterVariables, env);
}

export type BroadcasterConfig = ReturnType<typeof broadcasterConfig>;
