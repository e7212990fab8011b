/** Clients that mean no good, or do not know better: what they send changes nothing, and hurts nobody else. */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { WebSocket } from "ws";
import { answersKey, auctionKey } from "../../services/bidding/src/adapters/keys.ts";
import { BiddingWitness } from "../lib/faults/bidding/bidding-witness.ts";
import { WiredBidding } from "../lib/faults/bidding/wired-bidding.ts";

const BIDDERS = 16;
const MOST_BUFFERED_BYTES = 64 * 1024;

t.setTimeout(600_000);

const lab = await WiredBidding.start(t, {
  "bidding-broadcaster": {
    // Each event is a frame, and who answers no ping is cut off after two to four seconds.
    BROADCAST_HZ: "0",
    PING_SECONDS: "2",
    MOST_BUFFERED_BYTES: String(MOST_BUFFERED_BYTES),
  },
});

const liveUrl = (auctionId: string) => `${lab.liveUrl.replace("http", "ws")}/auctions/${auctionId}/live`;

async function post(auctionId: string, body: string) {
  const answer = await fetch(`${lab.gatewayUrl}/auctions/${auctionId}/bids`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return { status: answer.status, body: (await answer.json()) as { errors?: { field: string }[] } };
}

t.test("bids that are none are refused with the field's name, and nothing has changed", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { auctionId, bidders } = witness;
  await bidders.insist(bidders.aBid());
  await witness.settled();
  const kept = async () => ({
    auction: await lab.redis("HGETALL", auctionKey(auctionId)),
    answers: await lab.redis("HGETALL", answersKey(auctionId)),
    archived: await witness.archived(),
    outbox: await lab.unarchived(),
  });
  const before = await kept();
  const amounts = ["-1", "0", "1e309", "-1e309", "1.5", "1e-3", "9007199254740992", "1e17"];
  const others = ['"1000000"', '"NaN"', "null", "true", "[1000000]", "{}"];
  for (const amount of [...amounts, ...others]) {
    const answer = await post(auctionId, `{"bidder_id":"b","amount":${amount}}`);
    t.equal(answer.status, 422, amount);
    t.match(answer.body.errors, [{ field: "amount" }], amount);
  }
  for (const amount of ["NaN", "Infinity", "01", "1_000", ""]) {
    const answer = await post(auctionId, `{"bidder_id":"b","amount":${amount}}`);
    t.equal(answer.status, 400, `${amount}: this is no JSON`);
  }
  const fields = {
    amount: { bidder_id: "b" },
    bidder_id: { amount: 1_000_000 },
    bid_id: { amount: 1_000_000, bidder_id: "b", bid_id: "1" },
    colour: { amount: 1_000_000, bidder_id: "b", colour: "red" },
  };
  for (const [field, bid] of Object.entries(fields)) {
    const answer = await post(auctionId, JSON.stringify(bid));
    t.equal(answer.status, 422, field);
    t.match(answer.body.errors, [{ field }], field);
  }
  for (const bidder_id of ["", " ", "x".repeat(65), "a\nb", "\u001b[2J", "\u0000", 7, null]) {
    const answer = await post(auctionId, JSON.stringify({ amount: 1_000_000, bidder_id }));
    t.equal(answer.status, 422, JSON.stringify(bidder_id));
    t.match(answer.body.errors, [{ field: "bidder_id" }]);
  }
  t.same(await kept(), before, "nothing has changed");
  await witness.holds(t, "bids-that-are-none");
});

t.test(
  "bids on an auction that is not there, or over, are 404 and 410, and leave nothing behind",
  async (t) => {
    const witness = await BiddingWitness.begin(t, lab, { seconds: 8 });
    const { auctionId, bidders } = witness;
    const accepted = bidders.aBid();
    await bidders.insist(accepted);
    const bid = JSON.stringify({ bidder_id: "b", amount: 1_000_000, bid_id: randomUUID() });
    for (const unknown of [randomUUID(), "lamp", "%00", "..%2f", "x".repeat(1000)]) {
      t.equal((await post(unknown, bid)).status, 404, unknown.slice(0, 40));
    }
    t.equal(Number(await lab.redis("EXISTS", answersKey("lamp"), auctionKey("lamp"))), 0);
    const ended = async () => (await lab.api.findAuction(auctionId))?.status === "ended";
    await waitFor("the end", ended, 30_000);
    const late = bidders.aBid();
    t.equal((await bidders.attempt(late)).status, 410);
    t.equal((await bidders.attempt(late)).status, 410, "the same again");
    t.match(await bidders.attempt(accepted), { status: 201, body: { seq: 1 } }, "what was accepted stays so");
    const count = await witness.holds(t, "bids-on-ended-auctions");
    t.equal(count.archived, 1);
  },
);

t.test("the largest amounts are exact: 2^53 - 1 is accepted, and nothing after it", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  const most = Number.MAX_SAFE_INTEGER;
  const seqs: unknown[] = [];
  for (const amount of [most - 2, most - 1, most]) {
    const reply = await bidders.insist({ ...bidders.aBid(), amount });
    t.equal(reply.status, 201, String(amount));
    seqs.push(reply.body.seq);
  }
  t.same(seqs, [1, 2, 3]);
  t.match(await bidders.insist({ ...bidders.aBid(), amount: most }), {
    status: 409,
    body: { seq: 3, highest: most },
  });
  const count = await witness.holds(t, "largest-amounts");
  t.equal(count.archived, 3);
});

t.test(
  "a watcher that never reads is cut off; the others' prices go on, and memory is bounded",
  async (t) => {
    const witness = await BiddingWitness.begin(t, lab, { watchers: 5 });
    const stuck = new WebSocket(liveUrl(witness.auctionId));
    t.teardown(() => stuck.terminate());
    stuck.on("error", () => {});
    await once(stuck, "open");
    stuck.pause();
    const cutOffs = () => lab.metric("bidding-broadcaster", "bidding_live_cut_off_total");
    t.equal(await cutOffs(), 0);
    let mostBuffered = 0;
    const storm = witness.bidders.storm(BIDDERS);
    await waitFor(
      "it to be cut off",
      async () => {
        mostBuffered = Math.max(
          mostBuffered,
          await lab.metric("bidding-broadcaster", "bidding_live_buffered_bytes"),
        );
        return (await cutOffs()) === 1;
      },
      30_000,
    );
    const seen = witness.seqOfWatchers();
    await waitFor("the others' prices to go on", () => witness.seqOfWatchers() > seen + 100, 20_000);
    await storm.stop();
    t.ok(mostBuffered <= 2 * MOST_BUFFERED_BYTES, `${mostBuffered} bytes waited at the most`);
    await witness.holds(t, "stuck-watcher");
    t.equal(await cutOffs(), 1, "nobody else was");
  },
);

t.test(
  "a page of another origin may not watch: 403; who is no page, and the service's own, may",
  async (t) => {
    const witness = await BiddingWitness.begin(t, lab);
    for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1"]) {
      const socket = new WebSocket(liveUrl(witness.auctionId), { origin });
      socket.on("error", () => {});
      const [, answer] = await once(socket, "unexpected-response");
      t.equal(answer.statusCode, 403, origin);
      t.match(answer.headers["content-type"], "application/problem+json");
      answer.destroy();
    }
    for (const origin of [undefined, new URL(lab.liveUrl).origin]) {
      const socket = new WebSocket(liveUrl(witness.auctionId), { ...(origin && { origin }) });
      const [message] = await once(socket, "message");
      t.match(JSON.parse(String(message)), { type: "snapshot", auction_id: witness.auctionId });
      socket.close();
      await once(socket, "close");
    }
  },
);

t.test("a frame that is too large is answered by 1009, and the others watch on", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  for (const frame of ["x".repeat(100_000), Buffer.alloc(2000)]) {
    const socket = new WebSocket(liveUrl(witness.auctionId));
    await once(socket, "message");
    socket.send(frame);
    const [code] = await once(socket, "close");
    t.equal(code, 1009);
  }
  for (let bids = 0; bids < 5; bids += 1) await bidders.insist(bidders.aBid());
  await witness.holds(t, "oversized-frame");
});
