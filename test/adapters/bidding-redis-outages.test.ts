/** Bids while Redis is out, frozen, full, or has lost its scripts: each is answered soon and truly, and none is sent twice. */

import { randomUUID, randomUUIDv7 } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { DependencyUnavailable } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import { Redis } from "ioredis";
import t, { type Test } from "tap";
import { bullEndTimers } from "../../services/bidding/src/adapters/bull-end-timers.ts";
import { auctionKey, goneKey, outboxKey } from "../../services/bidding/src/adapters/keys.ts";
import { redisAuctions } from "../../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../../services/bidding/src/adapters/redis-connection.ts";
import { redisArchivedOutbox, redisLease } from "../../services/bidding/src/adapters/redis-outbox.ts";
import { OutcomeUnknown } from "../../services/bidding/src/domain/ports.ts";
import { redisServer } from "../lib/redis-server.ts";

/** More than the time-out of an answer, less than anybody would call hanging. */
const SOON_MS = 6000;

async function start(t: Test) {
  const server = await redisServer();
  t.teardown(() => server[Symbol.asyncDispose]());
  const redis = connectRedis({ url: server.url, name: "test" }, silentLogger());
  t.teardown(() => redis.disconnect());
  const auctions = redisAuctions(redis, { mostUnarchived: 100_000 });
  await waitFor("the connection", () => redis.status === "ready");
  const auctionId = randomUUIDv7();
  const endsAt = Date.now() + 3_600_000;
  await auctions.create({ auctionId, item: "A vase", startingPrice: 1, minIncrement: 1, endsAt });
  const bid = (amount: number) => ({ auctionId, bidId: randomUUID(), bidderId: "ann", amount });
  const usable = () =>
    waitFor(
      "Redis to be used again",
      () =>
        auctions.check().then(
          () => true,
          () => false,
        ),
      20_000,
    );
  return { server, redis, auctions, auctionId, bid, usable };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    (outcome) => Promise.reject(new Error(`It had an outcome: ${JSON.stringify(outcome)}`)),
    (error: unknown) => error,
  );
}

t.test("killed and started again: refused at once meanwhile, by itself accepted after", async (t) => {
  const { server, auctions, bid, auctionId, usable } = await start(t);
  await auctions.bid(bid(1), true);
  await server.kill();
  const began = performance.now();
  const failures = await Promise.all(Array.from({ length: 50 }, () => failureOf(auctions.bid(bid(9), true))));
  t.ok(performance.now() - began < SOON_MS, "soon");
  for (const failure of failures)
    t.ok(failure instanceof DependencyUnavailable || failure instanceof OutcomeUnknown);
  const next = await failureOf(auctions.bid(bid(9), true));
  t.ok(next instanceof DependencyUnavailable, "without a connection nothing is sent");
  t.ok((await failureOf(auctions.find(auctionId))) instanceof DependencyUnavailable);
  t.ok((await failureOf(auctions.check())) instanceof DependencyUnavailable);
  await server.start();
  await usable();
  t.match(await auctions.find(auctionId), { seq: 1 }, "none of them took effect later");
  t.match(await auctions.bid(bid(9), true), { kind: "accepted", seq: 2 }, "its script is there again");
});

t.test("frozen: not known soon; sent again with its id after, each has one effect", async (t) => {
  const { server, auctions, bid, auctionId, usable } = await start(t);
  await auctions.bid(bid(1), true);
  server.freeze();
  const bids = Array.from({ length: 20 }, (_, n) => bid(n + 2));
  const began = performance.now();
  const failures = await Promise.all(bids.map((each) => failureOf(auctions.bid(each, true))));
  t.ok(performance.now() - began < SOON_MS, "soon");
  for (const failure of failures) t.ok(failure instanceof OutcomeUnknown, String(failure));
  const while_ = performance.now();
  const refused = await failureOf(auctions.bid(bid(500), true));
  t.ok(refused instanceof DependencyUnavailable, "then nothing is sent any more");
  t.ok(performance.now() - while_ < 500, "at once");
  server.thaw();
  await usable();
  const outcomes = [];
  for (const each of bids) outcomes.push(await auctions.bid(each, true));
  t.same(
    outcomes,
    bids.map(({ amount }, n) => ({ kind: "accepted", seq: n + 2, amount })),
  );
  t.match(await auctions.find(auctionId), { seq: 21, highest: { amount: 21 } });
});

t.test("without its scripts: they are sent again, and each bid has one effect", async (t) => {
  const { server, auctions, bid, auctionId } = await start(t);
  const raw = new Redis(server.url);
  t.teardown(() => raw.disconnect());
  await auctions.bid(bid(1), true);
  await raw.script("FLUSH");
  const outcomes = await Promise.all(Array.from({ length: 30 }, (_, n) => auctions.bid(bid(n + 2), true)));
  t.ok(outcomes.every(({ kind }) => kind === "accepted"));
  t.match(await auctions.find(auctionId), { seq: 31 });
});

t.test("full: refused before the first write; accepted when there is room", async (t) => {
  const { server, auctions, bid, auctionId } = await start(t);
  const raw = new Redis(server.url);
  t.teardown(() => raw.disconnect());
  await auctions.bid(bid(1), true);
  await raw.config("SET", "maxmemory", "1");
  const failure = await failureOf(auctions.bid(bid(2), true));
  t.ok(failure instanceof DependencyUnavailable, String(failure));
  t.same(await raw.hmget(auctionKey(auctionId), "seq", "amount"), ["1", "1"]);
  t.equal(await raw.xlen(outboxKey), 2, "nothing of it is there");
  t.match(await auctions.find(auctionId), { seq: 1 }, "it can still be read");
  await raw.config("SET", "maxmemory", "0");
  t.match(await auctions.bid(bid(2), true), { kind: "accepted", seq: 2 });
});

t.test("full: auctions end, their events are relayed, and what they took is given back", async (t) => {
  const { server, auctions, auctionId } = await start(t);
  const raw = new Redis(server.url);
  t.teardown(() => raw.disconnect());
  await raw.hset(auctionKey(auctionId), "ends_at", Date.now() - 1);
  await raw.config("SET", "maxmemory", "1");
  t.match(await auctions.close(auctionId), { kind: "announced" });
  t.equal(await redisLease(raw).hold("me", 60_000), true);
  t.equal(await redisLease(raw).hold("another", 60_000), false);
  const archived = redisArchivedOutbox(raw);
  await archived.retire([auctionId], 60);
  await archived.retire([auctionId], 600);
  const left = await raw.ttl(auctionKey(auctionId));
  t.ok(left > 0 && left <= 60, `it goes in ${left} s, which is not put off`);
  t.equal(await raw.zcard(goneKey), 1);
});

/** Two of them under one name, which leads whoever connects to the one that is primary then, and leaves the others where they are. */
async function startPair(t: Test) {
  const { server } = await start(t);
  const next = await redisServer();
  t.teardown(() => next[Symbol.asyncDispose]());
  let primary = server.port;
  const name = createServer((socket) => {
    const other = connect(primary, "127.0.0.1");
    socket.on("error", () => other.destroy()).pipe(other);
    other.on("error", () => socket.destroy()).pipe(socket);
  });
  t.teardown(() => name.close());
  await once(name.listen(0, "127.0.0.1"), "listening");
  const { port } = name.address() as AddressInfo;
  const raw = new Redis(server.url);
  const there = new Redis(next.url);
  t.teardown(() => {
    raw.disconnect();
    there.disconnect();
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    /** The next one. */
    there,
    /** The old one lives on as a replica of the next. */
    async failOver() {
      await raw.replicaof("127.0.0.1", next.port);
      primary = next.port;
    },
  };
}

t.test("after a failover the new primary is looked for", async (t) => {
  const { url, there, failOver } = await startPair(t);
  const redis = connectRedis({ url, name: "test" }, silentLogger());
  t.teardown(() => redis.disconnect());
  const auctions = redisAuctions(redis, { mostUnarchived: 100_000 });
  await waitFor("the connection", () => redis.status === "ready");
  await failOver();
  const auction = { auctionId: randomUUIDv7(), item: "A vase", startingPrice: 1, minIncrement: 1 };
  const created = () =>
    auctions.create({ ...auction, endsAt: Date.now() + 3_600_000 }).then(
      ({ kind }) => kind === "created",
      () => false,
    );
  await waitFor("the new primary to be used", created, 20_000);
  t.equal(await there.exists(auctionKey(auction.auctionId)), 1);
});

t.test("after a failover the timers of ends go by the new primary", async (t) => {
  const { url, failOver } = await startPair(t);
  const timers = bullEndTimers({ url, logger: silentLogger() });
  t.teardown(() => timers.stop());
  const due: string[] = [];
  timers.start(async (id) => {
    due.push(id);
    return undefined;
  });
  const isSet = (id: string) => () =>
    timers.set(id, 0).then(
      () => true,
      () => false,
    );
  await waitFor("the first to be set", isSet("before"), 20_000);
  await waitFor("the first to be due", () => due.includes("before"), 20_000);
  await failOver();
  await waitFor("the second to be set", isSet("after"), 20_000);
  await waitFor("the second to be due", () => due.includes("after"), 20_000);
});

t.test("one that would evict auctions is not used", async (t) => {
  const { server, auctions } = await start(t);
  const raw = new Redis(server.url);
  t.teardown(() => raw.disconnect());
  await t.resolves(auctions.check());
  await raw.config("SET", "maxmemory-policy", "allkeys-lru");
  await t.rejects(auctions.check(), { code: "REDIS_EVICTS", message: /maxmemory-policy, allkeys-lru/ });
});
