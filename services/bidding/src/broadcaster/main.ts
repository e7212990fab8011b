/** The broadcaster's process. */

import { createMetrics, listen, type ServiceParts, serviceMain } from "@parallax/service";
import { redisAuctionReader } from "../adapters/live-auctions.ts";
import { NatsLink } from "../adapters/nats.ts";
import { NatsPriceFeed } from "../adapters/nats-price-feed.ts";
import { connectRedis } from "../adapters/redis-connection.ts";
import { createBroadcaster } from "./app.ts";
import { type BroadcasterConfig, broadcasterConfig } from "./config.ts";
import { createForwarder } from "./forward.ts";
import { Broadcast } from "./live/broadcast.ts";
import { createLiveMetrics } from "./live/metrics.ts";
import { createUpgrade } from "./live/upgrade.ts";
import { loadPages } from "./pages.ts";

/** Connections for everything that is no watcher. */
const OTHER_CONNECTIONS = 2000;

async function start(config: BroadcasterConfig, { logger, releasers, tracing }: ServiceParts) {
  const metrics = createMetrics("bidding-broadcaster");
  const redis = releasers.add(
    "redis",
    connectRedis({ url: config.REDIS_URL, name: "broadcaster" }, logger),
    (redis) => redis.disconnect(),
  );
  const reader = redisAuctionReader(redis);
  const nats = releasers.add(
    "nats",
    new NatsLink({ url: config.NATS_URL, name: "broadcaster", logger }),
    (nats) => nats[Symbol.asyncDispose](),
  );
  const feed = releasers.add("price feed", new NatsPriceFeed(nats, logger), (feed) =>
    feed[Symbol.asyncDispose](),
  );
  const broadcast = new Broadcast({
    reader,
    feed,
    logger,
    metrics: (figures) => createLiveMetrics(metrics, figures),
    hz: config.BROADCAST_HZ,
    pingSeconds: config.PING_SECONDS,
    reconcileSeconds: config.RECONCILE_SECONDS,
  });
  // It waits for nobody: the server's end tells its watchers to go.
  releasers.add("broadcast", broadcast, (broadcast) => broadcast.stop(0));
  const upgrade = createUpgrade({
    broadcast,
    logger,
    allowedOrigins: config.ALLOWED_ORIGINS,
    mostWatchers: config.MOST_WATCHERS,
    mostBufferedBytes: config.MOST_BUFFERED_BYTES,
  });
  const forwarder = releasers.add("forwarder", createForwarder({ url: config.GATEWAY_URL }), (forwarder) =>
    forwarder[Symbol.asyncDispose](),
  );
  const app = createBroadcaster({ reader, forwarder, pages: await loadPages(), logger, metrics, tracing });
  const server = releasers.add(
    "http server",
    await listen(app.callback, {
      host: config.HOST,
      port: config.PORT,
      upgrade,
      maxConnections: config.MOST_WATCHERS + OTHER_CONNECTIONS,
    }),
    async (server) => {
      // Together: the server is closed once the last connection is, watchers' too.
      const closed = server.close(config.SHUTDOWN_GRACE_SECONDS * 700);
      await Promise.all([closed, broadcast.stop(config.SHUTDOWN_GRACE_SECONDS * 400)]);
    },
  );
  releasers.add("readiness", app, (app) => {
    app.drain();
    upgrade.drain();
  });
  return { url: server.url, hz: config.BROADCAST_HZ };
}

await serviceMain({ name: "bidding-broadcaster", configure: broadcasterConfig, start });
