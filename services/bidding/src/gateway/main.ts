/** The gateway's process. */

import { openPool, traceQueries } from "@parallax/postgres";
import { createMetrics, listen, type Metrics, type ServiceParts, serviceMain } from "@parallax/service";
import { postgresArchiveReader } from "../adapters/postgres-archive-reader.ts";
import { redisAuctions } from "../adapters/redis-auctions.ts";
import { connectRedis } from "../adapters/redis-connection.ts";
import { WatchBids } from "../adapters/watch-bids.ts";
import { createGateway } from "./app.ts";
import { startBackground } from "./background.ts";
import { type GatewayConfig, gatewayConfig } from "./config.ts";

const WATCH_CONNECTIONS = 64;

async function start(config: GatewayConfig, { logger, releasers, tracing }: ServiceParts) {
  const metrics = createMetrics("bidding-gateway");
  // Its tables are made by the archiver: a gateway starts, and takes bids, without the archive.
  const pool = releasers.add(
    "database",
    openPool(
      { url: config.DATABASE_URL, poolSize: config.DATABASE_POOL_SIZE, applicationName: "gateway" },
      logger,
    ),
    (pool) => pool.end(),
  );
  if (tracing) traceQueries(pool, tracing, config.DATABASE_URL);
  const redis = releasers.add(
    "redis",
    connectRedis({ url: config.REDIS_URL, name: "gateway" }, logger),
    (redis) => redis.disconnect(),
  );
  const byScript = redisAuctions(redis, {
    mostUnarchived: config.MOST_UNARCHIVED,
    mostAnswers: config.MOST_ANSWERS,
  });
  const auctions =
    config.BID_METHOD === "script"
      ? byScript
      : openWatchBids(config, { logger, releasers, metrics }).instead(byScript);
  const announcer = startBackground(config, byScript, { logger, releasers, metrics });
  const app = createGateway({
    auctions,
    onCreated: announcer.onCreated,
    archive: postgresArchiveReader(pool),
    logger,
    metrics,
    tracing,
    maxInFlight: config.MAX_IN_FLIGHT,
  });
  const server = releasers.add(
    "http server",
    await listen(app.callback, { host: config.HOST, port: config.PORT }),
    (server) => server.close(config.SHUTDOWN_GRACE_SECONDS * 700),
  );
  releasers.add("readiness", app, (app) => app.drain());
  return { url: server.url, method: config.BID_METHOD };
}

function openWatchBids(
  config: GatewayConfig,
  { logger, releasers, metrics }: Pick<ServiceParts, "logger" | "releasers"> & { metrics: Metrics },
): WatchBids {
  const options = {
    url: config.REDIS_URL,
    connections: WATCH_CONNECTIONS,
    mostUnarchived: config.MOST_UNARCHIVED,
    mostAnswers: config.MOST_ANSWERS,
  };
  return releasers.add("redis for WATCH", new WatchBids(options, logger, metrics), (bids) =>
    bids[Symbol.dispose](),
  );
}

await serviceMain({ name: "bidding-gateway", configure: gatewayConfig, start });
