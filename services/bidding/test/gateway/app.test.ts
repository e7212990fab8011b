import { randomUUID, randomUUIDv7 } from "node:crypto";
import t from "tap";
import { MOST_AMOUNT } from "../../src/domain/auction.ts";
import { goodAuction, goodBid, post, startGateway } from "../gateway-helpers.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

t.test("an auction is opened, and its end is seen to", async (t) => {
  const { url, created } = await startGateway(t);
  const request = { ...goodAuction(), ends_at: "2096-03-01T12:00:00+02:00" };
  const response = await post(`${url}/auctions`, request);
  t.equal(response.status, 201);
  const auction = (await response.json()) as { auction_id: string };
  t.match(auction, {
    auction_id: /^[0-9a-f]{8}-[0-9a-f]{4}-7/,
    item: "A vase",
    starting_price: 100,
    min_increment: 5,
    created_at: /Z$/,
    ends_at: "2096-03-01T10:00:00.000Z",
    status: "open",
    seq: 0,
    highest: null,
    bidder_id: null,
    bid_id: null,
    least: 100,
  });
  t.equal(response.headers.get("location"), `/auctions/${auction.auction_id}`);
  t.match(created, [{ auctionId: auction.auction_id, endsAt: Date.parse("2096-03-01T10:00:00Z") }]);
  t.same(await (await fetch(`${url}/auctions/${auction.auction_id}`)).json(), auction);
});

t.test("an end that is past is refused, by the clock of the auctions", async (t) => {
  const { url, auctions, created } = await startGateway(t);
  auctions.clockAheadMs = 7_200_000;
  const response = await post(`${url}/auctions`, goodAuction());
  t.equal(response.status, 422);
  t.match(await response.json(), {
    code: "VALIDATION_FAILED",
    errors: [{ field: "ends_at", pointer: "#/ends_at", detail: /in the future/ }],
  });
  t.same(created, []);
});

t.test("bids are accepted and refused, each with what that was decided by", async (t) => {
  const { url, open, bid, metrics } = await startGateway(t);
  const id = await open();
  const low = await bid(id, { ...goodBid, amount: 99 });
  t.equal(low.status, 409);
  t.match(await low.json(), {
    code: "BID_TOO_LOW",
    retryable: false,
    bid_id: UUID,
    seq: 0,
    highest: null,
    least: 100,
  });
  const first = await bid(id, goodBid);
  t.equal(first.status, 201);
  t.match(await first.json(), { bid_id: UUID, seq: 1, amount: 100 });
  const second = await bid(id, { bidder_id: "bob", amount: 104 });
  t.equal(second.status, 409);
  t.match(await second.json(), { seq: 1, highest: 100, least: 105 });
  t.match(await (await fetch(`${url}/auctions/${id}`)).json(), {
    seq: 1,
    highest: 100,
    bidder_id: "ann",
    bid_id: UUID,
    least: 105,
  });
  const text = await metrics.registry.metrics();
  t.match(text, /bidding_bids_total\{outcome="accepted",service="bidding-gateway"\} 1/);
  t.match(text, /bidding_bids_total\{outcome="refused",service="bidding-gateway"\} 2/);
});

t.test("the largest amount is accepted as it is", async (t) => {
  const { open, bid } = await startGateway(t);
  const id = await open();
  t.match(await (await bid(id, { ...goodBid, amount: MOST_AMOUNT })).json(), { seq: 1, amount: MOST_AMOUNT });
  t.match(await (await bid(id, { ...goodBid, amount: MOST_AMOUNT })).json(), { highest: MOST_AMOUNT });
});

t.test(
  "the same bid again: the same answer, whichever case its id is in; another bid with its id: 422",
  async (t) => {
    const { url, open, bid } = await startGateway(t);
    const id = await open();
    const bid_id = randomUUID();
    const answers = [];
    for (const each of [bid_id, bid_id, bid_id.toUpperCase()]) {
      const response = await bid(id, { ...goodBid, bid_id: each });
      answers.push([response.status, await response.json()]);
    }
    t.same(answers, Array(3).fill([201, { bid_id, seq: 1, amount: 100 }]));
    for (const other of [{ amount: 200 }, { bidder_id: "bob" }]) {
      const response = await bid(id, { ...goodBid, ...other, bid_id });
      t.equal(response.status, 422);
      t.match(await response.json(), { errors: [{ field: "bid_id", pointer: "#/bid_id" }] });
    }
    t.match(await (await fetch(`${url}/auctions/${id}`)).json(), { seq: 1, bidder_id: "ann" });
  },
);

t.test("an auction that nobody has: 404", async (t) => {
  const { url, bid } = await startGateway(t);
  for (const id of [randomUUIDv7(), "x", "%00", "..%2f"]) {
    for (const response of [
      await bid(id, goodBid),
      await fetch(`${url}/auctions/${id}`),
      await fetch(`${url}/auctions/${id}/bids`),
    ]) {
      t.equal(response.status, 404, id);
      t.match(await response.json(), { code: "NOT_FOUND" });
    }
  }
});

t.test("after its end: 410, by the clock of the auctions", async (t) => {
  const { url, auctions, open, bid } = await startGateway(t);
  const id = await open();
  await bid(id, goodBid);
  auctions.clockAheadMs = 3_600_001;
  const late = await bid(id, { ...goodBid, amount: 500 });
  t.equal(late.status, 410);
  t.match(await late.json(), { code: "AUCTION_ENDED", retryable: false, bid_id: UUID });
  t.match(await (await fetch(`${url}/auctions/${id}`)).json(), { status: "ended", seq: 1, highest: 100 });
});

t.test("one that is only in the archive any more has ended", async (t) => {
  const { url, auctions, archive, open, bid } = await startGateway(t);
  const id = await open();
  const found = await auctions.find(id);
  if (!found) throw new Error("It is not there");
  auctions.forget(id);
  const highest = { amount: 700, bidId: randomUUID(), bidderId: "zoe" };
  archive.auctions.set(id, { ...found, seq: 9, highest, status: "ended", endedAt: Date.now() });
  t.match(await (await fetch(`${url}/auctions/${id}`)).json(), {
    status: "ended",
    seq: 9,
    highest: 700,
    bidder_id: "zoe",
    bid_id: highest.bidId,
  });
  t.equal((await bid(id, goodBid)).status, 410);
  t.same(await (await fetch(`${url}/auctions/${id}/bids`)).json(), { bids: [], next_cursor: null });
  archive.auctions.set(id, { ...found, endedAt: null });
  t.equal((await fetch(`${url}/auctions/${id}`)).status, 404, "one that has not ended, and is lost");
  t.equal((await bid(id, goodBid)).status, 404);
});

t.test("auctions come newest first, page by page", async (t) => {
  const { url, open } = await startGateway(t);
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) ids.push(await open());
  ids.sort().reverse();
  const seen: string[] = [];
  for (let cursor = ""; ; ) {
    const page = await (await fetch(`${url}/auctions?limit=2${cursor}`)).json();
    const { auctions, next_cursor } = page as {
      auctions: { auction_id: string }[];
      next_cursor: string | null;
    };
    seen.push(...auctions.map(({ auction_id }) => auction_id));
    if (next_cursor === null) break;
    cursor = `&cursor=${next_cursor}`;
  }
  t.same(seen, ids);
});

t.test("archived bids come newest first, page by page", async (t) => {
  const { url, archive, open } = await startGateway(t);
  const id = await open();
  const bids = Array.from({ length: 5 }, (_, n) => ({
    seq: n + 1,
    bidId: randomUUID(),
    bidderId: `bidder ${n}`,
    amount: 100 + n,
    at: 1_763_706_000_000 + n,
  }));
  archive.bids.set(id, bids);
  const seen: unknown[] = [];
  const lengths: number[] = [];
  for (let cursor = ""; ; ) {
    const page = await (await fetch(`${url}/auctions/${id}/bids?limit=2${cursor}`)).json();
    const { bids, next_cursor } = page as { bids: unknown[]; next_cursor: number | null };
    seen.push(...bids);
    lengths.push(bids.length);
    if (next_cursor === null) break;
    cursor = `&cursor=${next_cursor}`;
  }
  t.same(lengths, [2, 2, 1]);
  t.same(
    seen,
    bids.toReversed().map(({ seq, bidId, bidderId, amount, at }) => ({
      seq,
      bid_id: bidId,
      bidder_id: bidderId,
      amount,
      at: new Date(at).toISOString(),
    })),
  );
});

t.test("while auctions are out: 503 at once, with the bid's id; not ready; then as before", async (t) => {
  const { url, auctions, open, bid } = await startGateway(t);
  const id = await open();
  auctions.broken = "out";
  const refused = await bid(id, goodBid);
  t.equal(refused.status, 503);
  t.equal(refused.headers.get("retry-after"), "1");
  const problem = (await refused.json()) as { detail: string; outcome?: string };
  t.match(problem, { code: "DEPENDENCY_UNAVAILABLE", retryable: true, bid_id: UUID });
  t.notMatch(problem.detail, /not known/);
  t.equal(problem.outcome, undefined, "it was not placed");
  t.equal((await fetch(`${url}/auctions/${id}`)).status, 503);
  t.equal((await fetch(`${url}/health/ready`)).status, 503);
  auctions.broken = undefined;
  t.equal((await bid(id, goodBid)).status, 201);
});

t.test("an answer that is lost: 503 with the bid's id, by which it is learned", async (t) => {
  const { auctions, open, bid } = await startGateway(t);
  const id = await open();
  auctions.broken = "lost";
  const lost = await bid(id, goodBid);
  t.equal(lost.status, 503);
  const { bid_id, detail, outcome } = (await lost.json()) as Record<"bid_id" | "detail" | "outcome", string>;
  t.match(detail, bid_id);
  t.match(detail, /not known/);
  t.equal(outcome, "unknown");
  auctions.broken = undefined;
  t.same(await (await bid(id, { ...goodBid, bid_id })).json(), { bid_id, seq: 1, amount: 100 });
});

t.test("an opened auction whose answer is lost is where the problem says", async (t) => {
  const { url, auctions } = await startGateway(t);
  auctions.broken = "lost";
  const lost = await post(`${url}/auctions`, goodAuction());
  t.equal(lost.status, 503);
  const { auction_id } = (await lost.json()) as { auction_id: string };
  auctions.broken = undefined;
  t.equal((await fetch(`${url}/auctions/${auction_id}`)).status, 200);
});

t.test("the archive too far behind: 503 with Retry-After for what would be accepted", async (t) => {
  const { url, auctions, open, bid } = await startGateway(t, { mostUnarchived: 2 });
  const id = await open();
  await bid(id, goodBid);
  const busy = await bid(id, { ...goodBid, amount: 200 });
  t.equal(busy.status, 503);
  t.equal(busy.headers.get("retry-after"), "1");
  t.match(await busy.json(), { code: "OVERLOADED", retryable: true });
  t.equal((await post(`${url}/auctions`, goodAuction())).status, 503);
  t.equal((await bid(id, { ...goodBid, amount: 1 })).status, 409, "what is refused anyway still is");
  auctions.outbox.splice(0);
  t.equal((await bid(id, { ...goodBid, amount: 200 })).status, 201);
});

t.test("without the archive bids go on, and the gateway is ready", async (t) => {
  const { url, archive, open, bid } = await startGateway(t);
  const id = await open();
  archive.out = true;
  t.equal((await bid(id, goodBid)).status, 201);
  t.equal((await fetch(`${url}/auctions/${id}`)).status, 200);
  t.equal((await fetch(`${url}/health/ready`)).status, 200);
  t.equal((await fetch(`${url}/auctions/${id}/bids`)).status, 503);
});
