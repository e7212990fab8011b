/** Watchers end equal to Redis, whatever NATS does. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { afterBid, anAuction, bidEvent, endEvent, startBroadcaster } from "../stage.ts";

const often = { reconcileSeconds: 0.05 };

t.test("while NATS is away, prices and the end come from Redis", async (t) => {
  const { reader, feed, watch, figures } = await startBroadcaster(t, often);
  const auction = anAuction();
  reader.set(auction);
  feed.connected = false;
  const { until, messages } = await watch(auction.auctionId);
  await until("the snapshot", () => true);
  reader.set(afterBid(auction, 3, "bob"));
  t.match(await until("the price", ({ seq }) => seq === 3), {
    type: "price",
    highest: 130,
    bidder_id: "bob",
  });
  reader.set({ ...afterBid(auction, 4), status: "ended" });
  t.match(await until("the end", ({ type }) => type === "ended"), { seq: 4, highest: 140 });
  t.equal(messages.length, 3);
  t.match(await figures("bidding_live_feed_connected"), { "": 0 });
  t.match(await figures("bidding_live_reconciled_total"), { behind: 2 });
});

t.test("an auction that has ended unannounced is told to be, once", async (t) => {
  const { reader, feed, watch, figures } = await startBroadcaster(t, often);
  const auction = afterBid(anAuction(), 2);
  reader.set(auction);
  const { until, messages } = await watch(auction.auctionId);
  await until("the snapshot", () => true);
  reader.set({ ...auction, status: "ended" });
  await until("the end", ({ type }) => type === "ended");
  feed.tell(endEvent(auction));
  const { same = 0 } = await figures("bidding_live_reconciled_total");
  await waitFor(
    "more readings",
    async () => ((await figures("bidding_live_reconciled_total")).same ?? 0) > same,
  );
  t.equal(messages.length, 2);
});

t.test("a reading that events have overtaken changes nothing", async (t) => {
  const { reader, feed, watch, broadcast } = await startBroadcaster(t, { ...often, hz: 0 });
  const auction = afterBid(anAuction(), 1);
  reader.set(auction);
  const { until, messages, closed } = await watch(auction.auctionId);
  await until("the snapshot", () => true);
  const held = Promise.withResolvers<void>();
  reader.held = held.promise;
  const { readings } = reader;
  await waitFor("a reading to begin", () => reader.readings > readings);
  // It will be of the time before these.
  for (const seq of [2, 3]) feed.tell(bidEvent(auction, seq));
  held.resolve();
  reader.held = Promise.resolve();
  reader.set(afterBid(auction, 3));
  await until("the last price", ({ seq }) => seq === 3);
  t.same(
    messages.map(({ seq }) => seq),
    [1, 2, 3],
  );
  t.equal(broadcast.figures.watchers, 1);
  void closed;
});

t.test("while Redis cannot be read, NATS goes on telling prices", async (t) => {
  const { reader, feed, watch, figures } = await startBroadcaster(t, often);
  const auction = anAuction();
  reader.set(auction);
  const { until } = await watch(auction.auctionId);
  await until("the snapshot", () => true);
  reader.out = true;
  await waitFor("a reading to fail", async () => (await figures("bidding_live_reconciled_total")).failed);
  feed.tell(bidEvent(auction, 1));
  await until("the price", ({ seq }) => seq === 1);
});

t.test("when Redis no longer has the auction, its watchers keep what they know", async (t) => {
  const { reader, feed, watch } = await startBroadcaster(t, often);
  const auction = afterBid(anAuction({ status: "ended" }), 1);
  reader.set(auction);
  const { until, messages } = await watch(auction.auctionId);
  await until("the snapshot", () => true);
  reader.forget(auction.auctionId);
  const { readings } = reader;
  await waitFor("readings", () => reader.readings > readings + 2);
  t.equal(messages.length, 1);
  t.same(feed.followed, [auction.auctionId]);
});

t.test(
  "an auction that was over and goes on, since Redis's clock went back, sends its watchers for that",
  async (t) => {
    const { reader, watch } = await startBroadcaster(t, often);
    const auction = afterBid(anAuction(), 3);
    reader.set(auction);
    const before = await watch(auction.auctionId);
    await before.until("the snapshot", () => true);
    reader.set({ ...auction, status: "ended" });
    await before.until("the end", ({ type }) => type === "ended");
    reader.set(afterBid(auction, 4));
    t.equal(await before.closed, 1012);
    t.equal(before.last?.type, "ended", "there is no price after the end");
    const after = await watch(auction.auctionId);
    t.match(await after.until("the snapshot", () => true), { status: "open", seq: 4 });
  },
);

const losses = {
  "bids are gone": (auction: ReturnType<typeof anAuction>) => afterBid(auction, 3),
  "another bid has the number": (auction: ReturnType<typeof anAuction>) => {
    const { highest, ...rest } = afterBid(auction, 5, "eve");
    const bidId = "11111111-1111-4111-8111-111111111111";
    return { ...rest, highest: highest && { ...highest, bidId } };
  },
};

for (const [what, lost] of Object.entries(losses)) {
  t.test(
    `when Redis has lost what it acknowledged (${what}), watchers are sent for what is true now`,
    async (t) => {
      const { reader, feed, watch, figures } = await startBroadcaster(t, often);
      const auction = anAuction();
      reader.set(auction);
      const before = await watch(auction.auctionId);
      await before.until("the snapshot", () => true);
      feed.tell(bidEvent(auction, 5));
      reader.set(afterBid(auction, 5));
      await before.until("the price", ({ seq }) => seq === 5);
      reader.set(lost(auction));
      t.equal(await before.closed, 1012);
      t.equal(before.last?.seq, 5, "within the connection nothing went back");
      const after = await watch(auction.auctionId);
      const { seq, highest } = lost(auction);
      t.match(await after.until("the snapshot", () => true), { seq, highest: highest?.amount });
      t.match(await figures("bidding_live_reconciled_total"), { contradiction: 1 });
    },
  );
}
