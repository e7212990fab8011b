/** The archiver's process. */

import { openDatabase } from "@parallax/postgres";
import { createMetrics, listen, type ServiceParts, serviceMain } from "@parallax/service";
import { BIDDING_SCHEMA, biddingMigrations } from "../adapters/bidding-migrations.ts";
import { jetStreamSource } from "../adapters/jetstream-source.ts";
import { NatsLink } from "../adapters/nats.ts";
import { postgresArchiveStore } from "../adapters/postgres-archive-store.ts";
import { postgresTurn } from "../adapters/postgres-turn.ts";
import { connectRedis } from "../adapters/redis-connection.ts";
import { redisArchivedOutbox } from "../adapters/redis-outbox.ts";
import { createArchiverApp } from "./app.ts";
import { startArchiver } from "./archiver.ts";
import { type ArchiverConfig, archiverConfig } from "./config.ts";
import { createArchiverMetrics } from "./metrics.ts";

async function start(config: ArchiverConfig, parts: ServiceParts) {
  const { logger, releasers } = parts;
  const metrics = createMetrics("bidding-archiver");
  const pool = await openDatabase(
    config,
    { applicationName: "archiver", schema: BIDDING_SCHEMA, migrations: biddingMigrations },
    parts,
  );
  const redis = releasers.add(
    "redis",
    connectRedis({ url: config.REDIS_URL, name: "archiver" }, logger),
    (redis) => redis.disconnect(),
  );
  const nats = releasers.add(
    "nats",
    new NatsLink({ url: config.NATS_URL, name: "archiver", logger }),
    (nats) => nats[Symbol.asyncDispose](),
  );
  const store = postgresArchiveStore(pool);
  const outbox = redisArchivedOutbox(redis);
  const source = jetStreamSource(nats, { dedupeSeconds: config.DEDUPE_WINDOW_SECONDS });
  const app = createArchiverApp({
    logger,
    metrics,
    readiness: [
      { name: "database", check: () => store.check() },
      { name: "nats", check: () => source.check() },
      { name: "redis", check: () => outbox.check() },
    ],
  });
  const server = releasers.add(
    "http server",
    await listen(app.callback, { host: config.HOST, port: config.PORT }),
    (server) => server.close(1000),
  );
  releasers.add(
    "archiver",
    startArchiver({
      source,
      turn: postgresTurn(config.DATABASE_URL, logger),
      store,
      outbox,
      logger,
      metrics: createArchiverMetrics(metrics),
      batch: config.ARCHIVE_BATCH,
      waitMs: config.ARCHIVE_WAIT_MS,
      retentionSeconds: config.RETENTION_SECONDS,
    }),
    (archiver) => archiver.stop(),
  );
  releasers.add("readiness", app, (app) => app.drain());
  return { url: server.url };
}

await serviceMain({ name: "bidding-archiver", configure: archiverConfig, start });
