/** Auctions in Redis. What has an effect is one script each; see adapters/keys.ts for what they leave there. */

import type { Redis } from "ioredis";
import type { AuctionState, Bid, BidOutcome } from "../domain/auction.ts";
import { MOST_ANSWERS } from "../domain/decide-bid.ts";
import type { AuctionPage, Auctions, Closing, Creation, NewAuction } from "../domain/ports.ts";
import { asState, FIELDS, type Fields, millis } from "./auction-fields.ts";
import { answersKey, auctionKey, auctionsKey, endsKey, outboxKey } from "./keys.ts";
import { checkRedis, repeatable } from "./redis-connection.ts";
import { loadScript } from "./redis-script.ts";

export interface RedisAuctionsOptions {
  /** Events that may wait for the archive; no bids are accepted beyond. */
  readonly mostUnarchived: number;
  /** Answers of one auction, beyond which those of refused bids are not kept. */
  readonly mostAnswers?: number;
}

export function redisAuctions(redis: Redis, options: RedisAuctionsOptions): Auctions {
  const { mostUnarchived, mostAnswers = MOST_ANSWERS } = options;
  const scripts = { bid: loadScript("bid"), create: loadScript("create"), close: loadScript("close") };

  return {
    async create(auction: NewAuction): Promise<Creation> {
      const { auctionId, item, startingPrice, minIncrement, endsAt } = auction;
      const [kind, number] = await scripts.create(
        redis,
        [auctionKey(auctionId), auctionsKey, endsKey, outboxKey],
        [auctionId, item, startingPrice, minIncrement, endsAt, mostUnarchived],
      );
      switch (kind) {
        case "created":
          return { kind, auction: { ...auction, createdAt: Number(number) } };
        case "past":
          return { kind, now: Number(number) };
        case "busy":
          return { kind, unarchived: Number(number) };
        default:
          throw unexpected(kind);
      }
    },

    async bid(bid: Bid, keep: boolean): Promise<BidOutcome> {
      const { auctionId, bidId, bidderId, amount } = bid;
      return readOutcome(
        await scripts.bid(
          redis,
          [auctionKey(auctionId), answersKey(auctionId), outboxKey],
          [auctionId, bidId, bidderId, amount, keep ? "1" : "0", mostUnarchived, mostAnswers],
        ),
      );
    },

    async find(auctionId: string): Promise<AuctionState | undefined> {
      return await repeatable(redis, async () => {
        // The time first: what is read after it was not accepted before it, so that an ended auction is not shown half-way.
        const [now, fields] = await Promise.all([redis.time(), readAuction(redis, auctionId)]);
        return asState(auctionId, fields, millis(now));
      });
    },

    async page(limit: number, before?: string): Promise<AuctionPage> {
      return await repeatable(redis, async () => {
        const from = before === undefined ? "+" : `(${before}`;
        const ids = await redis.zrevrangebylex(auctionsKey, from, "-", "LIMIT", 0, limit);
        const [now, ...all] = await Promise.all([redis.time(), ...ids.map((id) => readAuction(redis, id))]);
        const auctions = ids.flatMap((id, at) => asState(id, all[at] ?? [], millis(now)) ?? []);
        return { auctions, next: ids.length === limit ? ids.at(-1) : undefined };
      });
    },

    async close(auctionId: string): Promise<Closing> {
      const [kind, number] = await scripts.close(
        redis,
        [auctionKey(auctionId), endsKey, outboxKey],
        [auctionId],
      );
      switch (kind) {
        case "announced":
          return { kind, at: Number(number) };
        case "early":
          return { kind, leftMs: Number(number) };
        case "already":
        case "unknown":
          return { kind };
        default:
          throw unexpected(kind);
      }
    },

    async due(limit: number): Promise<readonly string[]> {
      return await repeatable(redis, async () => {
        const now = millis(await redis.time());
        return await redis.zrangebyscore(endsKey, "-inf", now, "LIMIT", 0, limit);
      });
    },

    check: () => checkRedis(redis),
  };
}

/** What the script and its kept answers say. */
export function readOutcome([kind, ...values]: readonly string[]): BidOutcome {
  switch (kind) {
    case "accepted":
      return { kind, seq: Number(values[0]), amount: Number(values[1]) };
    case "refused":
      return {
        kind,
        seq: Number(values[0]),
        highest: values[1] === "" ? null : Number(values[1]),
        least: Number(values[2]),
      };
    case "ended":
      return { kind, endsAt: Number(values[0]) };
    case "busy":
      return { kind, unarchived: Number(values[0]) };
    case "unknown":
    case "other-bid":
      return { kind };
    default:
      throw unexpected(kind);
  }
}

export function readAuction(redis: Redis, auctionId: string): Promise<Fields> {
  return redis.hmget(auctionKey(auctionId), ...FIELDS);
}

function unexpected(kind: string | undefined): Error {
  return new Error(`A script answered ${JSON.stringify(kind)}, which it never should`);
}
