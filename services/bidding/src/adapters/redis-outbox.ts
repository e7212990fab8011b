/** The outbox in Redis, a stream: read by the relay, shortened by the archiver. And the lease of who relays. */

import type { Redis } from "ioredis";
import type { ArchivedOutbox, Lease, Outbox, OutboxEntry } from "../domain/outbox.ts";
import { answersKey, auctionKey, auctionsKey, goneKey, outboxKey, relayKey } from "./keys.ts";
import { checkRedis, repeatable } from "./redis-connection.ts";

/** @param reader a connection of its own: reading blocks it */
export function redisOutbox(reader: Redis, redis: Redis): Outbox {
  return {
    async read(after, limit, waitMs) {
      const answer = await repeatable(reader, () =>
        reader.xread("COUNT", limit, "BLOCK", Math.max(1, waitMs), "STREAMS", outboxKey, after),
      );
      const entries = (answer?.[0]?.[1] ?? []) as [string, string[]][];
      return entries.map(([id, flat]) => entryOf(id, flat));
    },

    async state() {
      const [length, [oldest], [seconds, micros]] = await repeatable(redis, () =>
        Promise.all([redis.xlen(outboxKey), redis.xrange(outboxKey, "-", "+", "COUNT", 1), redis.time()]),
      );
      const now = Number(seconds) * 1000 + Number(micros) / 1000;
      const at = oldest ? Number(oldest[0].split("-")[0]) : now;
      return { length, oldestAgeMs: Math.max(0, now - at) };
    },
  };
}

function entryOf(id: string, flat: readonly string[]): OutboxEntry {
  const fields: Record<string, string> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) fields[flat[at] as string] = flat[at + 1] as string;
  return { id, fields };
}

// Where Redis is full the outbox must be relayed all the same: that it is archived is what makes room. Likewise below.
const HOLD = `#!lua flags=allow-oom
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1`;

const END = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end`;

export function redisLease(redis: Redis): Lease {
  return {
    async hold(holder, ms) {
      return (await repeatable(redis, () => redis.eval(HOLD, 1, relayKey, holder, ms))) === 1;
    },
    async end(holder) {
      await repeatable(redis, () => redis.eval(END, 1, relayKey, holder));
    },
  };
}

// NX: not put off by an end that is delivered again.
const RETIRE = `#!lua flags=allow-oom
  local gone = redis.call('TIME')[1] + ARGV[1]
  for n = 2, #ARGV do
    redis.call('EXPIRE', KEYS[2 * n - 2], ARGV[1], 'NX')
    redis.call('EXPIRE', KEYS[2 * n - 1], ARGV[1], 'NX')
    redis.call('ZADD', KEYS[1], 'NX', gone, ARGV[n])
  end`;

export function redisArchivedOutbox(redis: Redis): ArchivedOutbox {
  return {
    async remove(ids) {
      if (ids.length > 0) await repeatable(redis, () => redis.xdel(outboxKey, ...ids));
    },

    async retire(auctionIds, seconds) {
      if (auctionIds.length === 0) return;
      const keys = [goneKey, ...auctionIds.flatMap((id) => [auctionKey(id), answersKey(id)])];
      await repeatable(redis, () => redis.eval(RETIRE, keys.length, ...keys, seconds, ...auctionIds));
    },

    async sweep(limit) {
      return await repeatable(redis, async () => {
        const [now] = await redis.time();
        const ids = await redis.zrangebyscore(goneKey, "-inf", Number(now), "LIMIT", 0, limit);
        if (ids.length === 0) return 0;
        await redis.zrem(auctionsKey, ...ids);
        // The last of all, so that what is interrupted is done again.
        await redis.zrem(goneKey, ...ids);
        return ids.length;
      });
    },

    check: () => checkRedis(redis),
  };
}
