/** Redis dies, freezes, falls silent, forgets its scripts and is full, under bids: what was acknowledged is there, once. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { answersKey, auctionKey } from "../../services/bidding/src/adapters/keys.ts";
import { BiddingWitness } from "../lib/faults/bidding/bidding-witness.ts";
import { WiredBidding } from "../lib/faults/bidding/wired-bidding.ts";

const BIDDERS = 24;
/** Longer than a gateway takes to give Redis up, and within the patience of a client. */
const SOON_MS = 5000;

t.setTimeout(600_000);

const lab = await WiredBidding.start(t);
const { runtime, wires } = lab;

t.test(
  "Redis is killed under load, twice, and started on its data: nothing acknowledged is lost",
  async (t) => {
    const witness = await BiddingWitness.begin(t, lab);
    const { bidders } = witness;
    const storm = bidders.storm(BIDDERS);
    for (const round of [1, 2]) {
      const before = bidders.accepted;
      await waitFor("bids to be accepted", () => bidders.accepted > before + 100, 30_000);
      const told = bidders.unanswered;
      await runtime.kill("redis", "SIGKILL");
      await waitFor("bidders to be told", () => bidders.unanswered >= told + BIDDERS, 20_000);
      await runtime.start("redis");
      t.pass(`killed and started again: ${round}`);
    }
    const before = bidders.accepted;
    await waitFor("bids to be accepted again", () => bidders.accepted > before + 100, 30_000);
    await storm.stop();
    const count = await witness.holds(t, "redis-sigkill");
    t.equal(count.lost, 0);
    t.equal(count.conflicts, 0);
  },
);

t.test("the first bids after a restart work, though Redis has none of its scripts any more", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const first = await witness.bidders.attempt(witness.bidders.aBid());
  t.equal(first.status, 201);
  await runtime.stop("redis");
  await runtime.start("redis");
  t.same(await lab.redis("SCRIPT", "EXISTS", await bidScript()), [0], "it has forgotten");
  await waitFor("the gateway to be connected again", lab.gatewayReady);
  const again = await Promise.all(
    Array.from({ length: 5 }, () => witness.bidders.attempt(witness.bidders.aBid())),
  );
  t.ok(
    again.every(({ status }) => status === 201 || status === 409),
    `each is decided: ${again.map(({ status }) => status)}`,
  );
  const storm = witness.bidders.storm(BIDDERS);
  for (let times = 1; times <= 5; times += 1) {
    await waitFor("bids to be accepted", () => witness.bidders.accepted > times * 50);
    await lab.redis("SCRIPT", "FLUSH");
  }
  await storm.stop();
  const count = await witness.holds(t, "redis-script-cache-lost");
  t.equal(count.unanswered, 0, "nobody noticed");
});

t.test("Redis is frozen: 503 in time, and the same bid again has one effect", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  await bidders.insist(bidders.aBid());
  await runtime.kill("redis", "SIGSTOP");
  t.teardown(() => runtime.kill("redis", "SIGCONT"));
  const bids = Array.from({ length: 20 }, (_, bidder) => bidders.aBid(`bidder-${bidder}`));
  const replies = await Promise.all(bids.map((bid) => bidders.attempt(bid)));
  for (const [at, { status, body, retryAfter, ms }] of replies.entries()) {
    t.equal(status, 503);
    t.match(retryAfter, /^\d+$/);
    t.match(body, { retryable: true, bid_id: bids[at]?.bid_id });
    t.ok(ms < SOON_MS, `after ${ms.toFixed(0)} ms`);
  }
  await runtime.kill("redis", "SIGCONT");
  await Promise.all(bids.map((bid) => bidders.insist(bid)));
  await bidders.bidInTurn(5);
  const count = await witness.holds(t, "redis-frozen");
  t.equal(count.bids, bids.length + 6);
});

t.test(
  "Redis' answers are lost on the wire: the bids have taken effect, and are told so when sent again",
  async (t) => {
    const witness = await BiddingWitness.begin(t, lab);
    const { bidders } = witness;
    await wires.gatewayRedis.silence("downstream");
    const bid = bidders.aBid();
    const { status, body, ms } = await bidders.attempt(bid);
    await wires.gatewayRedis.heal();
    t.equal(status, 503);
    t.match(body, { bid_id: bid.bid_id, detail: /not known/ });
    t.ok(ms < SOON_MS, `after ${ms.toFixed(0)} ms`);
    t.equal(
      await lab.redis("HGET", auctionKey(witness.auctionId), "seq"),
      "1",
      "it was accepted all the same",
    );
    const again = await bidders.insist(bid);
    t.equal(again.status, 201);
    t.equal(again.body.seq, 1);
    t.equal((await bidders.attempt({ ...bid, amount: bid.amount + 1 })).status, 422, "the id is that bid's");
    const count = await witness.holds(t, "redis-answers-lost");
    t.equal(count.archived, 1);
  },
);

t.test("bids are lost on the wire to Redis: they have no effect until they are sent again", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  await wires.gatewayRedis.silence("upstream");
  const bid = bidders.aBid();
  const { status, body } = await bidders.attempt(bid);
  t.equal(status, 503);
  t.match(body, { bid_id: bid.bid_id });
  t.equal(await lab.redis("HGET", auctionKey(witness.auctionId), "seq"), "0");
  await wires.gatewayRedis.heal();
  t.equal((await bidders.insist(bid)).body.seq, 1);
  await witness.holds(t, "redis-bids-lost");
});

t.test("the wire to Redis falls silent and comes back again and again, under load", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  const storm = bidders.storm(8);
  for (const direction of ["downstream", "upstream", undefined] as const) {
    const before = bidders.accepted;
    await waitFor("bids to be accepted", () => bidders.accepted > before + 10, 20_000);
    const told = bidders.unanswered;
    await wires.gatewayRedis.silence(direction);
    await waitFor("bidders to be told", () => bidders.unanswered >= told + 8, 20_000);
    await wires.gatewayRedis.heal();
  }
  const before = bidders.accepted;
  await waitFor("bids to be accepted", () => bidders.accepted > before + 10, 20_000);
  await storm.stop();
  await witness.holds(t, "redis-silent-under-load");
});

t.test(
  "Redis is out of memory: 503, nothing is half-written, and it goes on when there is room",
  async (t) => {
    const witness = await BiddingWitness.begin(t, lab);
    const { bidders, auctionId } = witness;
    await bidders.insist(bidders.aBid());
    await witness.settled();
    const kept = async () => ({
      auction: await lab.redis("HGETALL", auctionKey(auctionId)),
      answers: await lab.redis("HLEN", answersKey(auctionId)),
      outbox: await lab.unarchived(),
      auctions: (await lab.api.findAuction(auctionId))?.seq,
    });
    const before = await kept();
    t.teardown(() => lab.redis("CONFIG", "SET", "maxmemory", "0"));
    await lab.redis("CONFIG", "SET", "maxmemory", "1mb");
    const refused = bidders.aBid();
    const reply = await bidders.attempt(refused);
    t.equal(reply.status, 503);
    t.match(reply.retryAfter, /^\d+$/);
    t.match(reply.body, { retryable: true, bid_id: refused.bid_id });
    const opening = await fetch(`${lab.gatewayUrl}/auctions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(witness.terms),
    });
    t.equal(opening.status, 503, "no auction can be opened");
    t.match(opening.headers.get("retry-after"), /^\d+$/);
    await opening.arrayBuffer();
    t.same(await kept(), before, "nothing has changed");
    await lab.redis("CONFIG", "SET", "maxmemory", "0");
    t.equal((await bidders.insist(refused)).status, 201);
    const count = await witness.holds(t, "redis-out-of-memory");
    t.equal(count.archived, 2);
  },
);

// Last, since the archive and Redis contradict each other from then on.
t.test("Redis loses the last second, as by a power cut: what is lost is counted and told", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  const bidTimes = async (times: number) => {
    for (let time = 0; time < times; time += 1) await bidders.insist(bidders.aBid());
  };
  await bidTimes(10);
  await witness.settled();
  const size = await lab.redisLogSize();
  await bidTimes(10);
  await witness.settled();
  await runtime.kill("redis", "SIGKILL");
  await lab.truncateRedisLog(size);
  await runtime.start("redis");
  await waitFor("the gateway to be connected again", lab.gatewayReady);
  t.equal((await lab.api.findAuction(witness.auctionId))?.seq, 10, "ten acknowledged bids are gone");
  // They are numbered as the lost ones were.
  await bidTimes(5);
  const count = await witness.tells(t, "redis-power-cut");
  t.equal(count.lost, 10, "of the bids that were acknowledged");
  t.equal(count.conflicts, 5, "which the archive keeps beside those that it had");
});

/** The name that Redis knows the script by. */
async function bidScript(): Promise<string> {
  const text = await readFile(new URL("../../services/bidding/src/adapters/bid.lua", import.meta.url));
  return createHash("sha1").update(text).digest("hex");
}
