/** The contract of auctions: on Redis, by script and by WATCH, as on the in-memory twin. */

import { createMetrics } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import { Redis } from "ioredis";
import t from "tap";
import { answersKey, outboxKey } from "../../services/bidding/src/adapters/keys.ts";
import { MemoryAuctions } from "../../services/bidding/src/adapters/memory-auctions.ts";
import { redisAuctions } from "../../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../../services/bidding/src/adapters/redis-connection.ts";
import { WatchBids } from "../../services/bidding/src/adapters/watch-bids.ts";
import { eventOf } from "../../services/bidding/src/domain/outbox.ts";
import type { Auctions } from "../../services/bidding/src/domain/ports.ts";
import {
  auctionsContract,
  MOST_ANSWERS,
  MOST_UNARCHIVED,
} from "../../services/bidding/test/contract/auctions-contract.ts";
import { redisServer } from "../lib/redis-server.ts";

t.test("in memory", async (t) => {
  const auctions = new MemoryAuctions({ mostUnarchived: MOST_UNARCHIVED, mostAnswers: MOST_ANSWERS });
  auctionsContract(t, {
    auctions,
    events: async (id) => auctions.outbox.filter(({ auction_id }) => auction_id === id),
    archive: async () => void auctions.outbox.splice(0),
    answers: async (id) => auctions.answers(id),
  });
});

t.test("on Redis", async (t) => {
  const server = await redisServer();
  t.teardown(() => server[Symbol.asyncDispose]());
  const raw = new Redis(server.url);
  const redis = connectRedis({ url: server.url, name: "test" }, silentLogger());
  t.teardown(() => {
    raw.disconnect();
    redis.disconnect();
  });
  const auctions = redisAuctions(redis, { mostUnarchived: MOST_UNARCHIVED, mostAnswers: MOST_ANSWERS });
  const bids = new WatchBids(
    {
      url: server.url,
      connections: 8,
      mostUnarchived: MOST_UNARCHIVED,
      mostAnswers: MOST_ANSWERS,
      patienceMs: 20_000,
    },
    silentLogger(),
    createMetrics("test"),
  );
  t.teardown(() => bids[Symbol.dispose]());
  await waitFor("the connection", () => redis.status === "ready");

  const underTest = (auctions: Auctions) => ({
    auctions,
    async events(id: string) {
      const entries = await raw.xrange(outboxKey, "-", "+");
      return entries
        .map(([id, list]) => {
          const pairs = Array.from({ length: list.length / 2 }, (_, n) => [list[2 * n], list[2 * n + 1]]);
          return eventOf({ id, fields: Object.fromEntries(pairs) });
        })
        .filter(({ auction_id }) => auction_id === id);
    },
    async archive() {
      await raw.del(outboxKey);
    },
    answers: (id: string) => raw.hlen(answersKey(id)),
  });

  await t.test("by script", async (t) => auctionsContract(t, underTest(auctions)));
  await t.test("by WATCH", async (t) => auctionsContract(t, underTest(bids.instead(auctions))));
});
