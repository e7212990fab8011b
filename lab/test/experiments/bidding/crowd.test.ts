/** A crowd on a server of live prices that does as a test says. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { type WebSocket, WebSocketServer } from "ws";
import { Crowd } from "../../../src/experiments/bidding/crowd/crowd.ts";
import { Deliveries } from "../../../src/experiments/bidding/crowd/deliveries.ts";

const AUCTION = "0193ab00-0000-7000-8000-000000000001";
const signal = AbortSignal.timeout(100_000);

const message = (type: string, seq: number, at: number) =>
  JSON.stringify({
    type,
    auction_id: AUCTION,
    seq,
    highest: seq === 0 ? null : seq * 10,
    bidder_id: seq === 0 ? null : "b",
    at: new Date(at).toISOString(),
  });

/** Sends each who comes a snapshot; `sockets` are in the order in which they came. */
async function liveServer(t: Test, most = Number.POSITIVE_INFINITY) {
  const http = createServer();
  const server = new WebSocketServer({ noServer: true });
  const sockets: WebSocket[] = [];
  http.on("upgrade", (request, socket, head) => {
    if (request.url !== `/auctions/${AUCTION}/live` || sockets.length >= most) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    server.handleUpgrade(request, socket, head, (webSocket) => {
      sockets.push(webSocket);
      webSocket.send(message("snapshot", 0, Date.now()));
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.teardown(async () => {
    for (const socket of sockets) socket.terminate();
    http.closeAllConnections();
    http.close();
    await once(http, "close");
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, sockets };
}

t.test("all are let in, told, timed and reported", async (t) => {
  const { url, sockets } = await liveServer(t);
  await using crowd = await Crowd.gather({ url, auctionId: AUCTION, watchers: 25, stalled: 0 }, signal);
  t.equal(sockets.length, 25);
  t.match(crowd.now(), { connected: 25, slowest: 0, messages: 25, stalled: 0 });
  const from = Date.now() - 1000;
  // As if it had been 250 ms on its way.
  for (const socket of sockets) socket.send(message("price", 7, Date.now() - 250));
  await waitFor("all to be told", () => crowd.now().slowest === 7, 20_000);
  for (const socket of sockets.slice(1)) socket.send(message("price", 9, Date.now() - 250));
  await waitFor("all but one to be told", () => crowd.now().messages === 74, 20_000);
  t.equal(crowd.now().slowest, 7, "the one that was told less counts");
  // Whole seconds are counted.
  const { seen, prices, latency, cutOffMs } = await crowd.report(from - 1000, Date.now() + 2000);
  t.equal(prices, 49, "snapshots are no prices");
  t.ok((latency?.p50 ?? 0) >= 250 && (latency?.p50 ?? 0) < 5000, `${latency?.p50} ms`);
  t.same(
    [...seen.prices],
    [
      [0, null],
      [7, 70],
      [9, 90],
    ],
  );
  t.equal(seen.watchers.length, 25);
  t.equal(seen.watchers.filter(({ seq }) => seq === 9).length, 24);
  t.same(cutOffMs, []);
  const none = await crowd.report(0, 1000);
  t.match(none, { prices: 0, latency: null }, "outside the time that was asked for");
});

t.test("who stalls reads nothing, and learns all the same that it was cut off", async (t) => {
  const { url, sockets } = await liveServer(t);
  await using crowd = await Crowd.gather({ url, auctionId: AUCTION, watchers: 2, stalled: 1 }, signal);
  const stalled = sockets.at(-1);
  t.match(crowd.now(), { connected: 2, stalled: 1 });
  let ponged = false;
  stalled?.on("pong", () => {
    ponged = true;
  });
  const knocked = stalled && once(stalled, "message");
  stalled?.ping();
  await knocked;
  t.notOk(ponged, "a ping is not answered");
  stalled?.terminate();
  await waitFor("the cut-off to be seen", () => crowd.now().stalled === 0, 20_000);
  const { cutOffMs, seen } = await crowd.report(0, 1);
  t.equal(cutOffMs.length, 1);
  t.ok((cutOffMs[0] ?? 0) > 0);
  t.equal(seen.watchers.length, 2, "it is none of those whose end is judged");
});

t.test("a server that does not let all of them in is told", async (t) => {
  const { url } = await liveServer(t, 3);
  const plan = { auctionId: AUCTION, watchers: 3, stalled: 1 };
  await t.rejects(Crowd.gather({ ...plan, url }, signal), {
    code: "COMMAND_FAILED",
    reason: /503/,
    remedy: /MOST_WATCHERS/,
  });
  const over = new AbortController();
  over.abort(new Error("over"));
  await t.rejects(Crowd.gather({ ...plan, url }, over.signal), /over/);
});

t.test("deliveries are those of the whole seconds that are asked for", async (t) => {
  const deliveries = new Deliveries();
  deliveries.add(10_500, 10_480);
  deliveries.add(11_500, 11_400);
  deliveries.add(12_999, 12_000);
  t.equal(deliveries.between(10_000, 13_000).totalCount, 3);
  t.equal(deliveries.between(10_001, 13_000).totalCount, 2, "a second that is cut is left out");
  t.equal(deliveries.between(11_000, 12_999).totalCount, 1);
  const [only] = [deliveries.between(11_000, 12_000)];
  t.ok(Math.abs(only.getValueAtPercentile(50) - 100_500) < 200, `${only.getValueAtPercentile(50)} µs`);
  deliveries.add(20_000, 25_000);
  t.equal(deliveries.between(20_000, 21_000).maxValue, 1, "a clock that is behind makes no negative way");
});
