/** What live prices read from Redis and hear from NATS: the same on real servers as the in-memory twins make believe. */

import { randomUUID } from "node:crypto";
import { silentLogger, waitFor } from "@parallax/testkit";
import type { Redis } from "ioredis";
import t, { type Test } from "tap";
import { subjectOf } from "../../services/bidding/src/adapters/event-stream.ts";
import { redisAuctionReader } from "../../services/bidding/src/adapters/live-auctions.ts";
import { MemoryAuctionReader, MemoryPriceFeed } from "../../services/bidding/src/adapters/memory-live.ts";
import { NatsLink } from "../../services/bidding/src/adapters/nats.ts";
import { NatsPriceFeed } from "../../services/bidding/src/adapters/nats-price-feed.ts";
import { redisAuctions } from "../../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../../services/bidding/src/adapters/redis-connection.ts";
import type { AuctionReader, PriceFeed } from "../../services/bidding/src/broadcaster/live/ports.ts";
import type { AuctionState } from "../../services/bidding/src/domain/auction.ts";
import { type AuctionEvent, encodeEvent } from "../../services/bidding/src/domain/events.ts";
import { natsServer } from "../lib/nats-server.ts";
import { redisServer } from "../lib/redis-server.ts";

/** A reader, and who writes what it reads. */
interface Read {
  readonly reader: AuctionReader;
  /** Opens an auction and places these bids on it; resolves to how it stands. */
  open(amounts: readonly number[], endsInMs?: number): Promise<AuctionState>;
}

function readerContract(t: Test, { reader, open }: Read): void {
  t.test(
    "auctions are read as they are, in the order they are asked for, null where there is none",
    async (t) => {
      const [fresh, bidOn] = [await open([]), await open([100, 9_007_199_254_740_991])];
      const began = Date.now();
      const { at, auctions } = await reader.read([bidOn.auctionId, randomUUID(), fresh.auctionId]);
      t.same(auctions, [bidOn, null, fresh]);
      t.match(auctions[0], { seq: 2, highest: { amount: 9_007_199_254_740_991 }, status: "open" });
      t.match(auctions[2], { seq: 0, highest: null });
      t.ok(Math.abs(at - began) < 60_000, "by this machine's clock, here");
      t.same((await reader.read([])).auctions, []);
    },
  );

  t.test("an auction has ended once its time is over, announced or not", async (t) => {
    const { auctionId } = await open([100], 900);
    await waitFor("its end", async () => (await reader.read([auctionId])).auctions[0]?.status === "ended");
    t.match((await reader.read([auctionId])).auctions, [{ seq: 1, highest: { amount: 100 } }]);
  });
}

function terms(endsInMs: number) {
  const ids = { auctionId: randomUUID(), item: "Ein “Stuhl” 🪑" };
  return { ...ids, startingPrice: 100, minIncrement: 10, endsAt: Date.now() + endsInMs };
}

t.test("in memory", async (t) => {
  const reader = new MemoryAuctionReader();
  readerContract(t, {
    reader,
    async open(amounts, endsInMs = 3_600_000) {
      const amount = amounts.at(-1);
      const highest = amount === undefined ? null : { amount, bidId: randomUUID(), bidderId: "ann" };
      const open = { ...terms(endsInMs), createdAt: Date.now(), seq: amounts.length, highest };
      reader.set({ ...open, status: "open" });
      if (endsInMs < 1000) reader.set({ ...open, status: "ended" });
      return { ...open, status: "open" };
    },
  });
  const feed = new MemoryPriceFeed();
  feedContract(t, { feed, publish: async (event) => feed.tell(event) });
});

t.test("on Redis", async (t) => {
  await using server = await redisServer();
  const redis: Redis = connectRedis({ url: server.url, name: "test" }, silentLogger());
  t.teardown(() => redis.disconnect());
  await waitFor("the connection", () => redis.status === "ready");
  const reader = redisAuctionReader(redis);
  const auctions = redisAuctions(redis, { mostUnarchived: 1000 });
  await t.test("the contract", async (t) => {
    readerContract(t, {
      reader,
      async open(amounts, endsInMs = 3_600_000) {
        const auction = terms(endsInMs);
        await auctions.create(auction);
        for (const amount of amounts) {
          const bid = { auctionId: auction.auctionId, bidId: randomUUID(), bidderId: "ann", amount };
          t.match(await auctions.bid(bid, true), { kind: "accepted" });
        }
        return (await auctions.find(auction.auctionId)) as AuctionState;
      },
    });
  });
  await reader.check();
  server.freeze();
  const began = performance.now();
  await t.rejects(reader.read([randomUUID()]), { code: "DEPENDENCY_UNAVAILABLE" }, "bounded while it hangs");
  t.ok(performance.now() - began < 10_000);
  server.thaw();
  await waitFor("it to be read again", () => reader.read([]), 20_000);
});

/** A feed, and who tells it. */
interface Heard {
  readonly feed: PriceFeed;
  publish(event: AuctionEvent): Promise<void>;
}

function feedContract(t: Test, { feed, publish }: Heard): void {
  t.test("who follows an auction hears of it and of no other, until they stop", async (t) => {
    const [one, other] = [randomUUID(), randomUUID()];
    const heard: AuctionEvent[] = [];
    const also: AuctionEvent[] = [];
    const stop = feed.follow(one, (event) => heard.push(event));
    const stopAlso = feed.follow(one, (event) => also.push(event));
    await waitFor("to be told", async () => {
      await publish(bid(one, 1));
      return heard.length > 0 && also.length > 0;
    });
    await publish(bid(other, 2));
    stop();
    const before = heard.length;
    await publish(bid(one, 3));
    await waitFor("the other follower to be told", () => also.some((event) => seqOf(event) === 3));
    t.equal(heard.length, before);
    t.same(heard[0], bid(one, 1));
    t.notOk([...heard, ...also].some(({ auction_id }) => auction_id === other));
    stopAlso();
  });
}

const seqOf = (event: AuctionEvent) => (event.type === "bid" ? event.seq : undefined);

function bid(auction_id: string, seq: number): AuctionEvent {
  const bid_id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const rest = { at: 1_763_706_000_123, outbox_id: "1763706000123-0", bidder_id: "ann", amount: 100 };
  return { type: "bid", auction_id, seq, bid_id, ...rest };
}

t.test("on NATS", async (t) => {
  await using server = await natsServer();
  const logger = silentLogger();
  await using link = new NatsLink({ url: server.url, name: "test", logger });
  await using feed = new NatsPriceFeed(link, logger);
  const id = randomUUID();
  const heard: AuctionEvent[] = [];
  const stop = feed.follow(id, (event) => heard.push(event));
  const publish = async (event: AuctionEvent | string, auctionId: string = id) => {
    const connection = await link.ready(AbortSignal.timeout(20_000));
    connection.publish(subjectOf(auctionId), typeof event === "string" ? event : encodeEvent(event));
    await connection.flush();
  };
  await waitFor("what was followed before the connection stood", async () => {
    await publish(bid(id, 1));
    return heard.length > 0;
  });
  t.equal(feed.connected, true);

  await publish("no JSON");
  await publish('{"type":"bid"}');
  await publish(bid(id, 2));
  await waitFor("what comes after what is no event", () => heard.some((event) => seqOf(event) === 2));

  await server.kill();
  await waitFor("it to be noticed", () => !feed.connected);
  const later = randomUUID();
  const heardLater: AuctionEvent[] = [];
  feed.follow(later, (event) => heardLater.push(event));
  await server.start();
  await waitFor("the connection", () => feed.connected, 20_000);
  await waitFor("who followed before, and who began meanwhile", async () => {
    await publish(bid(id, 3));
    await publish(bid(later, 1), later);
    return heard.some((event) => seqOf(event) === 3) && heardLater.length > 0;
  });
  stop();
  await t.test("the contract", async (t) => {
    feedContract(t, { feed, publish: (event) => publish(event, event.auction_id) });
  });
});

t.test("without a NATS, a feed can be followed and ended all the same", async (t) => {
  const logger = silentLogger();
  await using link = new NatsLink({ url: "nats://127.0.0.1:1", name: "test", logger });
  await using feed = new NatsPriceFeed(link, logger);
  const stop = feed.follow(randomUUID(), () => t.fail("nothing can be heard"));
  t.equal(feed.connected, false);
  stop();
});
