/** The outbox, the relay's lease, the ends of auctions and their timers on a real Redis. */

import { randomUUID } from "node:crypto";
import { createMetrics, DependencyUnavailable } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { bullEndTimers } from "../../services/bidding/src/adapters/bull-end-timers.ts";
import {
  answersKey,
  auctionKey,
  auctionsKey,
  goneKey,
  outboxKey,
} from "../../services/bidding/src/adapters/keys.ts";
import { redisAuctions } from "../../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../../services/bidding/src/adapters/redis-connection.ts";
import {
  redisArchivedOutbox,
  redisLease,
  redisOutbox,
} from "../../services/bidding/src/adapters/redis-outbox.ts";
import { BEGINNING, eventOf, fieldsOf } from "../../services/bidding/src/domain/outbox.ts";
import { startAnnouncer } from "../../services/bidding/src/gateway/announcer.ts";
import { outboxContract } from "../../services/bidding/test/contract/outbox-contract.ts";
import { redisServer } from "../lib/redis-server.ts";

const server = await redisServer();
t.teardown(() => server[Symbol.asyncDispose]());
const connected = async (name: string, autoPipelining = false) => {
  const redis = connectRedis({ url: server.url, name, autoPipelining }, silentLogger());
  t.teardown(() => redis.disconnect());
  await waitFor("Redis", () => redis.status === "ready");
  return redis;
};
const redis = await connected("test");
const outbox = redisOutbox(await connected("reader"), redis);
const archived = redisArchivedOutbox(redis);
const auctions = redisAuctions(await connected("auctions", true), { mostUnarchived: 1000 });

outboxContract(t, {
  outbox,
  archived,
  lease: redisLease(redis),
  append: async (event) => {
    const id = await redis.xadd(outboxKey, "*", ...Object.entries(fieldsOf(event)).flat());
    return String(id);
  },
});

/** An auction with a bid, which ends so soon. */
async function anAuction(ms: number) {
  const auctionId = randomUUID();
  const endsAt = Date.now() + ms;
  const creation = await auctions.create({ auctionId, item: "x", startingPrice: 5, minIncrement: 1, endsAt });
  if (creation.kind !== "created") throw new Error(creation.kind);
  const bid = { auctionId, bidId: randomUUID(), bidderId: "b, c", amount: Number.MAX_SAFE_INTEGER };
  await auctions.bid(bid, true);
  return { ...creation.auction, bid };
}

/** What the outbox holds of it; the rest is left. */
async function eventsOf(auctionId: string) {
  const entries = await outbox.read(BEGINNING, 1000, 1);
  return entries.map(eventOf).filter((event) => event.auction_id === auctionId);
}

t.test("the events of an auction, from the scripts through the outbox", async (t) => {
  const { auctionId, bid, endsAt } = await anAuction(1500);
  t.match(await auctions.close(auctionId), { kind: "early" });
  await waitFor("its end", async () => (await auctions.close(auctionId)).kind !== "early");
  t.same(await auctions.close(auctionId), { kind: "already" });
  t.same(await auctions.close(randomUUID()), { kind: "unknown" });
  const winner = { seq: 1, bid_id: bid.bidId, bidder_id: bid.bidderId, amount: bid.amount };
  const events = await eventsOf(auctionId);
  t.match(events, [
    { type: "opened", ends_at: endsAt },
    { type: "bid", ...winner },
    { type: "ended", ...winner },
  ]);
  t.equal(events.length, 3);
  t.ok((events[2]?.at ?? 0) >= endsAt);
});

t.test("what is retired goes after its time, once, and then from the list of all", async (t) => {
  const [{ auctionId }, other] = [await anAuction(60_000), await anAuction(60_000)];
  await archived.retire([auctionId], 1);
  // The end is delivered again; that does not put it off.
  await archived.retire([auctionId], 1000);
  t.equal(await redis.ttl(auctionKey(other.auctionId)), -1);
  t.ok((await redis.ttl(answersKey(auctionId))) <= 1);
  await waitFor(
    "it to go",
    async () => (await redis.exists(auctionKey(auctionId), answersKey(auctionId))) === 0,
  );
  await waitFor("the sweep to find it", async () => (await archived.sweep(100)) === 1);
  t.equal(await redis.zscore(auctionsKey, auctionId), null);
  t.equal(await redis.zscore(auctionsKey, other.auctionId), "0");
  t.equal(await redis.zcard(goneKey), 0);
  t.equal(await archived.sweep(100), 0);
});

function announcer(t: Test, sweepMs: number, queue = `ends-${randomUUID()}`) {
  const metrics = createMetrics("test");
  const timers = bullEndTimers({ url: server.url, logger: silentLogger(), queue });
  const started = startAnnouncer({ auctions, timers, metrics, logger: silentLogger(), sweepMs });
  let stopped = false;
  const stop = async () => {
    if (!stopped) await started.stop();
    stopped = true;
  };
  t.teardown(stop);
  const by = async (what: string) => {
    const metric = await metrics.registry.getSingleMetric("bidding_ends_announced_total")?.get();
    return metric?.values.find(({ labels }) => labels.by === what)?.value ?? 0;
  };
  return { onCreated: started.onCreated, stop, by, queue };
}

const ended = async (auctionId: string) =>
  (await eventsOf(auctionId)).filter(({ type }) => type === "ended").length;

t.test("a timer tells the end; one that comes too early is set again", async (t) => {
  const { onCreated, by } = announcer(t, 60_000);
  const auction = await anAuction(400);
  // As if it had been told by a clock that is ahead.
  onCreated({ ...auction, endsAt: auction.createdAt + 50 });
  await waitFor("its end", async () => (await ended(auction.auctionId)) === 1);
  t.equal(await by("timer"), 1);
});

t.test("a timer of a gateway that is gone runs at another; of two one tells it", async (t) => {
  const one = announcer(t, 60_000);
  const auction = await anAuction(2500);
  one.onCreated(auction);
  await waitFor("the timer to be set", async () => (await redis.keys(`*${one.queue}:delayed`)).length === 1);
  await one.stop();
  const others = [announcer(t, 60_000, one.queue), announcer(t, 60_000, one.queue)];
  await waitFor("its end", async () => (await ended(auction.auctionId)) === 1);
  await waitFor("it to be counted", async () => {
    const counts = await Promise.all(others.map(({ by }) => by("timer")));
    return counts.reduce((sum, count) => sum + count, 0) === 1;
  });
});

t.test(
  "a Redis that is away is an outage; ends that passed meanwhile are told when it is back",
  async (t) => {
    const { onCreated } = announcer(t, 50);
    const auction = await anAuction(300);
    onCreated(auction);
    await server.kill();
    await waitFor("the loss to be noticed", () => redis.status !== "ready");
    await t.rejects(outbox.read(BEGINNING, 1, 10), DependencyUnavailable);
    await t.rejects(outbox.state(), DependencyUnavailable);
    await t.rejects(archived.remove(["1-1"]), DependencyUnavailable);
    await t.rejects(archived.retire([randomUUID()], 1), DependencyUnavailable);
    await t.rejects(redisLease(redis).hold("x", 1000), DependencyUnavailable);
    // A timer cannot be set now, which stands in nobody's way.
    onCreated({ ...auction, auctionId: randomUUID() });
    await waitFor("the end to pass", () => Date.now() > auction.endsAt);
    await server.start();
    await waitFor("its end to be told", async () => (await ended(auction.auctionId)) === 1, 20_000);
  },
);

t.test("stopping while Redis is away takes no longer than it may", async (t) => {
  const { stop } = announcer(t, 50);
  await server.kill();
  const began = performance.now();
  await stop();
  t.ok(performance.now() - began < 8000);
  await server.start();
});
