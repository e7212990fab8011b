/** What a gateway does beside answering: it relays the outbox and announces the ends of auctions, each on connections of its own. */

import type { Metrics, ServiceParts } from "@parallax/service";
import { bullEndTimers } from "../adapters/bull-end-timers.ts";
import { jetStreamPublisher } from "../adapters/jetstream-publisher.ts";
import { NatsLink } from "../adapters/nats.ts";
import { connectRedis } from "../adapters/redis-connection.ts";
import { redisLease, redisOutbox } from "../adapters/redis-outbox.ts";
import type { Auctions } from "../domain/ports.ts";
import { type Announcer, startAnnouncer } from "./announcer.ts";
import type { GatewayConfig } from "./config.ts";
import { createRelayMetrics } from "./relay/metrics.ts";
import { startRelay } from "./relay/relay.ts";

/** Beyond the dedupe window, until what is left over in the outbox is published again. */
const STALE_MARGIN_MS = 15_000;

/** Starts both and registers their end. NATS may be away. */
export function startBackground(
  config: Pick<GatewayConfig, "REDIS_URL" | "NATS_URL" | "RELAY_IN_FLIGHT" | "DEDUPE_WINDOW_SECONDS">,
  auctions: Pick<Auctions, "close" | "due">,
  { logger, releasers, metrics }: Pick<ServiceParts, "logger" | "releasers"> & { readonly metrics: Metrics },
): Announcer {
  const connect = (name: string) =>
    releasers.add(
      `redis for ${name}`,
      connectRedis({ url: config.REDIS_URL, name, autoPipelining: false }, logger),
      (redis) => redis.disconnect(),
    );
  const reader = connect("relay-reader");
  const redis = connect("relay");
  const nats = releasers.add(
    "nats",
    new NatsLink({ url: config.NATS_URL, name: "gateway", logger }),
    (nats) => nats[Symbol.asyncDispose](),
  );
  const dedupeSeconds = config.DEDUPE_WINDOW_SECONDS;
  releasers.add(
    "relay",
    startRelay({
      outbox: redisOutbox(reader, redis),
      lease: redisLease(redis),
      publisher: jetStreamPublisher(nats, { dedupeSeconds }),
      logger,
      metrics: createRelayMetrics(metrics),
      mostInFlight: config.RELAY_IN_FLIGHT,
      staleMs: dedupeSeconds * 1000 + STALE_MARGIN_MS,
    }),
    (relay) => relay.stop(),
  );
  return releasers.add(
    "announcer",
    startAnnouncer({
      auctions,
      timers: bullEndTimers({ url: config.REDIS_URL, logger }),
      logger,
      metrics,
    }),
    (announcer) => announcer.stop(),
  );
}
