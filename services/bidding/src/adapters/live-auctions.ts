/** Auctions as live prices read them from Redis: many in one go, each of them whole. */

import type { Redis } from "ioredis";
import type { AuctionReader } from "../broadcaster/live/ports.ts";
import type { AuctionState } from "../domain/auction.ts";
import { auctionKey } from "./keys.ts";
import { checkRedis, reading } from "./redis-connection.ts";

export function redisAuctionReader(redis: Redis): AuctionReader {
  return {
    async read(auctionIds) {
      return await reading(redis, async () => {
        // The time first: what is read after it was not accepted before it, so that an ended auction is never shown half-way.
        const pipeline = redis.pipeline().time();
        for (const id of auctionIds) pipeline.hmget(auctionKey(id), ...FIELDS);
        const [time, ...rows] = valuesOf(await pipeline.exec());
        const [seconds, micros] = time as [number | string, number | string];
        const at = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
        return { at, auctions: auctionIds.map((id, index) => asState(id, rows[index] as Row, at)) };
      });
    },
    check: () => checkRedis(redis),
  };
}

const FIELDS = [
  "item",
  "starting_price",
  "min_increment",
  "created_at",
  "ends_at",
  "ended_at",
  "seq",
  "amount",
  "bid_id",
  "bidder_id",
] as const;

type Row = readonly (string | null)[];

function asState(auctionId: string, row: Row, now: number): AuctionState | null {
  const [item, startingPrice, minIncrement, createdAt, endsAt, endedAt, seq, amount, bidId, bidderId] = row;
  if (typeof item !== "string") return null;
  return {
    auctionId,
    item,
    startingPrice: Number(startingPrice),
    minIncrement: Number(minIncrement),
    createdAt: Number(createdAt),
    endsAt: Number(endsAt),
    status: endedAt !== null || now >= Number(endsAt) ? "ended" : "open",
    seq: Number(seq),
    highest: amount && bidId && bidderId ? { amount: Number(amount), bidId, bidderId } : null,
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
