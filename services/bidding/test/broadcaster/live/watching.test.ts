/** Watchers over real WebSockets: what they are sent, and in what order. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { afterBid, anAuction, bidEvent, endEvent, startBroadcaster } from "../stage.ts";

t.test("a snapshot comes first, then prices, then the end", async (t) => {
  const { reader, feed, watch } = await startBroadcaster(t);
  const auction = afterBid(anAuction({ item: "Ein “Stuhl” 🪑" }), 3);
  reader.set(auction);
  const { messages, until } = await watch(auction.auctionId);
  const snapshot = await until("the snapshot", ({ type }) => type === "snapshot");
  t.match(snapshot, {
    auction_id: auction.auctionId,
    item: "Ein “Stuhl” 🪑",
    status: "open",
    starting_price: 100,
    min_increment: 10,
    ends_at: new Date(auction.endsAt).toISOString(),
    seq: 3,
    highest: 130,
    bidder_id: "ann",
  });
  feed.tell(bidEvent(auction, 4, "bob"));
  await until("the price", ({ type, seq }) => type === "price" && seq === 4);
  feed.tell(endEvent(afterBid(auction, 4, "bob")));
  await until("the end", ({ type }) => type === "ended");
  t.match(messages, [
    { type: "snapshot" },
    { type: "price", seq: 4, highest: 140, bidder_id: "bob" },
    { type: "ended", seq: 4, highest: 140, bidder_id: "bob" },
  ]);
});

t.test("before the first bid there are nulls, and an end without a winner too", async (t) => {
  const { reader, feed, watch } = await startBroadcaster(t);
  const auction = anAuction();
  reader.set(auction);
  const { messages, until } = await watch(auction.auctionId);
  await until("the snapshot", () => true);
  feed.tell(endEvent(auction));
  await until("the end", ({ type }) => type === "ended");
  t.match(messages, [
    { type: "snapshot", seq: 0, highest: null, bidder_id: null },
    { type: "ended", seq: 0, highest: null, bidder_id: null },
  ]);
});

t.test("who watches an auction that has ended is told how, and nothing more", async (t) => {
  const { reader, feed, watch } = await startBroadcaster(t);
  const auction = afterBid(anAuction({ status: "ended" }), 2);
  reader.set(auction);
  const { messages, until, socket } = await watch(auction.auctionId);
  t.match(await until("the snapshot", () => true), { status: "ended", seq: 2, highest: 120 });
  feed.tell(bidEvent(auction, 3));
  feed.tell(endEvent(auction));
  const pong = new Promise((resolve) => socket.once("pong", resolve));
  socket.ping();
  await pong;
  t.equal(messages.length, 1);
});

t.test("seq never goes back: late, repeated and disordered events change nothing", async (t) => {
  const { reader, feed, watch } = await startBroadcaster(t, { hz: 0 });
  const auction = afterBid(anAuction(), 5);
  reader.set(auction);
  const { messages, until } = await watch(auction.auctionId);
  await until("the snapshot", () => true);
  for (const seq of [4, 7, 6, 7, 5, 9, 8, 1, 10]) feed.tell(bidEvent(auction, seq));
  feed.tell(endEvent(afterBid(auction, 9)));
  await until("the last price", ({ seq }) => seq === 10);
  t.same(
    messages.map(({ seq }) => seq),
    [5, 7, 9, 10],
  );
  t.notOk(
    messages.some(({ type }) => type === "ended"),
    "an end before the last bid is not believed",
  );
});

t.test("what is told while the snapshot is being read is not lost", async (t) => {
  const { reader, feed, watch } = await startBroadcaster(t);
  const auction = afterBid(anAuction(), 1);
  reader.set(auction);
  const held = Promise.withResolvers<void>();
  reader.held = held.promise;
  const opening = watch(auction.auctionId);
  await waitFor("the auction to be followed", () => feed.followed.includes(auction.auctionId));
  for (const seq of [3, 5, 2, 4]) feed.tell(bidEvent(auction, seq));
  held.resolve();
  const { until } = await opening;
  t.match(await until("the snapshot", () => true), { type: "snapshot", seq: 5 });
});

t.test("of many changes in a short time only the latest is sent, the same bytes to everybody", async (t) => {
  const { reader, feed, watch, figures } = await startBroadcaster(t, { hz: 5 });
  const auction = anAuction();
  reader.set(auction);
  const watchers = await Promise.all(Array.from({ length: 20 }, () => watch(auction.auctionId)));
  for (const each of watchers) await each.until("the snapshot", () => true);
  for (let seq = 1; seq <= 200; seq += 1) feed.tell(bidEvent(auction, seq));
  for (const { messages, until } of watchers) {
    await until("the last price", ({ seq }) => seq === 200);
    t.same(
      messages.map(({ type, seq }) => `${type} ${seq}`),
      ["snapshot 0", "price 1", "price 200"],
    );
  }
  t.match(await figures("bidding_live_frames_total"), { snapshot: 20, price: 40 });
  t.match(await figures("bidding_live_events_total"), { "": 200 });
});

t.test("the end is sent at once, whatever waits", async (t) => {
  const { reader, feed, watch } = await startBroadcaster(t, { hz: 1 });
  const auction = anAuction();
  reader.set(auction);
  const { messages, until } = await watch(auction.auctionId);
  await until("the snapshot", () => true);
  feed.tell(bidEvent(auction, 1));
  feed.tell(bidEvent(auction, 2));
  feed.tell(endEvent(afterBid(auction, 2)));
  await until("the end", ({ type }) => type === "ended");
  t.same(
    messages.map(({ type, seq }) => `${type} ${seq}`),
    ["snapshot 0", "price 1", "ended 2"],
  );
});

t.test("an auction is followed from its first watcher to its last", async (t) => {
  const { reader, feed, watch, figures } = await startBroadcaster(t);
  const auction = anAuction();
  reader.set(auction);
  const one = await watch(auction.auctionId);
  const another = await watch(auction.auctionId);
  t.same(feed.followed, [auction.auctionId]);
  t.match(await figures("bidding_live_watchers"), { "": 2 });
  one.socket.close();
  await one.closed;
  t.same(feed.followed, [auction.auctionId]);
  another.socket.terminate();
  await waitFor("nobody to be followed", () => feed.followed.length === 0);
  t.match(await figures("bidding_live_auctions"), { "": 0 });
});

t.test(
  "thousands who come back at once cost a reading or two, each of them begun after they came",
  async (t) => {
    const { reader, broadcast } = await startBroadcaster(t);
    const auction = anAuction();
    reader.set(auction);
    const held = Promise.withResolvers<void>();
    reader.held = held.promise;
    const places = Array.from({ length: 1000 }, () => broadcast.enter(auction.auctionId));
    held.resolve();
    for (const place of await Promise.all(places)) place.leave();
    t.equal(reader.readings, 2, "the first one had begun when the others came");
  },
);
