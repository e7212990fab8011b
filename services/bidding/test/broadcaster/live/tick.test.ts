/** Where there is nothing new, watchers are told so: a page cannot see pings, and takes silence for a server that hangs. */

import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { createMetrics } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { WebSocket } from "ws";
import { Channel } from "../../../src/broadcaster/live/channel.ts";
import { textFrame } from "../../../src/broadcaster/live/frames.ts";
import { tick } from "../../../src/broadcaster/live/messages.ts";
import { createLiveMetrics } from "../../../src/broadcaster/live/metrics.ts";
import { type CutOff, Watcher } from "../../../src/broadcaster/live/watcher.ts";
import { anAuction, bidEvent, startBroadcaster } from "../stage.ts";

const none = { watchers: 0, auctions: 0, bufferedBytes: 0, feedConnected: true };

/** An auction's, with what its watchers are sent. */
function aChannel() {
  const auction = anAuction();
  const channel = new Channel(
    auction.auctionId,
    0,
    createLiveMetrics(createMetrics("test"), () => none),
  );
  channel.read({ ...auction, at: 0 }, undefined);
  return { auction, channel, sent: [] as Buffer[] };
}

t.test(
  "one frame goes to all watchers of a silent auction, and to none of one that has prices",
  async (t) => {
    const { auction, channel, sent } = aChannel();
    const aWatcher = () => ({ told: undefined, send: (frame: Buffer) => sent.push(frame) > 0 });
    for (let n = 0; n < 3; n += 1) channel.add(aWatcher() as unknown as Watcher);
    const frame = textFrame(tick());
    const sentBy = (tell: () => void) => {
      sent.length = 0;
      tell();
      return sent;
    };
    const ticks = sentBy(() => channel.tick(frame, performance.now()));
    t.equal(ticks.length, 3);
    t.ok(
      ticks.every((each) => each === frame),
      "the same bytes, not copies of them",
    );
    const ticked = performance.now();
    t.equal(sentBy(() => channel.tick(frame, ticked - 60_000)).length, 0, "a tick is something, too");
    t.equal(sentBy(() => channel.hear(bidEvent(auction, 1))).length, 3);
    t.equal(sentBy(() => channel.tick(frame, ticked)).length, 0, "they were told a price since");
    t.equal(sentBy(() => channel.tick(frame, performance.now())).length, 3);
  },
);

t.test("watchers of a silent auction hear ticks for as long as it is silent, ended or not", async (t) => {
  const { reader, watch, figures } = await startBroadcaster(t, { tickSeconds: 1 });
  const auctions = [anAuction(), anAuction({ status: "ended" })];
  for (const auction of auctions) reader.set(auction);
  const watching = await Promise.all(
    auctions.flatMap(({ auctionId }) => [watch(auctionId), watch(auctionId)]),
  );
  await waitFor("three ticks for each", () => watching.every(({ ticks }) => ticks >= 3));
  for (const { messages } of watching) t.match(messages, [{ type: "snapshot" }]);
  t.ok(((await figures("bidding_live_frames_total")).tick ?? 0) >= 12);
});

t.test("ticks keep nobody who answers no ping", async (t) => {
  const { reader, watch } = await startBroadcaster(t, { tickSeconds: 1, pingSeconds: 3 });
  const auction = anAuction();
  reader.set(auction);
  const silent = await watch(auction.auctionId, { autoPong: false });
  const other = await watch(auction.auctionId);
  t.equal(await silent.closed, 1006);
  t.ok(silent.ticks > 0);
  t.equal(other.socket.readyState, WebSocket.OPEN);
});

t.test("ticks are bounded as all else is: for whom they have no room, that one is cut off", async (t) => {
  const { channel, sent } = aChannel();
  const frame = textFrame(tick());
  const cutOff: CutOff[] = [];
  const socket = { writableLength: 0, write: (frame: Buffer) => sent.push(frame) };
  const webSocket = Object.assign(new EventEmitter(), {
    readyState: WebSocket.OPEN as number,
    terminate() {
      webSocket.readyState = WebSocket.CLOSED;
    },
  });
  const watcher = new Watcher(webSocket as unknown as WebSocket, socket as unknown as Duplex, {
    mostBufferedBytes: 1024,
    onClose: () => {},
    onCutOff: (why) => cutOff.push(why),
  });
  channel.add(watcher);
  sent.length = 0;
  socket.writableLength = 1024 - frame.length;
  channel.tick(frame, performance.now());
  t.same([sent.length, cutOff], [1, []]);
  socket.writableLength += 1;
  channel.tick(frame, performance.now());
  t.same([sent.length, cutOff], [1, ["buffer"]]);
  channel.tick(frame, performance.now());
  t.same([sent.length, cutOff], [1, ["buffer"]], "once");
});
