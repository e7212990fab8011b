/** Auctions as live prices read them from Redis: many in one go, each of them whole. */

import type { Redis } from "ioredis";
import type { AuctionReader } from "../broadcaster/live/ports.ts";
import { asState, FIELDS, type Fields, millis } from "./auction-fields.ts";
import { auctionKey } from "./keys.ts";
import { checkRedis, repeatable } from "./redis-connection.ts";

export function redisAuctionReader(redis: Redis): AuctionReader {
  return {
    async read(auctionIds) {
      return await repeatable(redis, async () => {
        // The time first: what is read after it was not accepted before it, so that an ended auction is never shown half-way.
        const pipeline = redis.pipeline().time();
        for (const id of auctionIds) pipeline.hmget(auctionKey(id), ...FIELDS);
        const [time, ...rows] = valuesOf(await pipeline.exec());
        const at = millis(time as [number | string, number | string]);
        const auctions = auctionIds.map((id, index) => asState(id, rows[index] as Fields, at) ?? null);
        return { at, auctions };
      });
    },
    check: () => checkRedis(redis),
  };
}

/** @throws the first command's error */
function valuesOf(results: [error: Error | null, value: unknown][] | null): unknown[] {
  if (!results) throw new Error("The pipeline was discarded");
  return results.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
