/** The bidding gateway as shipped, with validation, metrics and logs, on a Redis. Argument: its URL. Prints its own. */

import { createLogger, createMetrics, listen } from "@parallax/service";
import { MemoryArchive } from "../../services/bidding/src/adapters/memory-archive.ts";
import { redisAuctions } from "../../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../../services/bidding/src/adapters/redis-connection.ts";
import { createGateway } from "../../services/bidding/src/gateway/app.ts";

const [url = ""] = process.argv.slice(2);
const logger = createLogger({ name: "bidding-gateway", level: "info" });
const redis = connectRedis({ url, name: "gateway" }, logger);
await new Promise((resolve) => redis.once("ready", resolve));
const app = createGateway({
  // Nobody archives here, and the benchmark empties the outbox between rounds.
  auctions: redisAuctions(redis, { mostUnarchived: 10_000_000 }),
  archive: new MemoryArchive(),
  logger,
  metrics: createMetrics("bidding-gateway"),
  maxInFlight: 20_000,
});
const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
console.log(server.url);
