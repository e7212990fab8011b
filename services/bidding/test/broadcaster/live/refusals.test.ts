/** Who is not let in, and who is sent away. */

import { once } from "node:events";
import { connect } from "node:net";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { WebSocket } from "ws";
import { afterBid, anAuction, bidEvent, Refusal, type Stage, startBroadcaster, watch } from "../stage.ts";

async function refusal(t: Test, opening: Promise<unknown>): Promise<Refusal> {
  const error = await opening.then(
    () => t.fail("it was opened"),
    (error: unknown) => error,
  );
  if (!(error instanceof Refusal)) throw error;
  t.equal(error.headers["content-type"], "application/problem+json");
  t.equal(error.problem.status, error.status);
  return error;
}

t.test("an auction that is not there, and what is no auction's path, are 404", async (t) => {
  const { url, reader, watch: open, liveUrl, feed, figures } = await startBroadcaster(t);
  reader.set(anAuction());
  t.match(await refusal(t, open(anAuction().auctionId)), { status: 404, problem: { code: "NOT_FOUND" } });
  t.match(await refusal(t, open("lamp")), { status: 404, problem: { code: "NOT_FOUND" } });
  const base = url.replace("http", "ws");
  for (const path of [
    "/",
    "/auctions",
    "/live",
    "/auctions/a/b/live",
    `${liveUrl("x").slice(base.length)}/y`,
  ]) {
    const { status, problem } = await refusal(t, watch(t, base + path));
    t.same([status, problem.code], [404, "ROUTE_NOT_FOUND"], path);
  }
  t.same(feed.followed, [], "nothing is followed for them");
  t.match(await figures("bidding_live_refused_total"), { path: 5, "unknown auction": 2 });
});

t.test("a page of another origin is 403; one of the same or an allowed one may watch", async (t) => {
  const { reader, server, watch, figures } = await startBroadcaster(t, {
    allowedOrigins: ["https://auctions.example"],
  });
  const auction = anAuction();
  reader.set(auction);
  for (const origin of ["http://evil.example", "null", `https://127.0.0.1:${server.port + 1}`]) {
    const refused = await refusal(t, watch(auction.auctionId, { origin }));
    t.match(refused, { status: 403, problem: { code: "FORBIDDEN" } }, origin);
  }
  t.equal(reader.readings, 0, "Redis is not asked for them");
  for (const origin of [`http://127.0.0.1:${server.port}`, "https://auctions.example"]) {
    const { until } = await watch(auction.auctionId, { origin });
    t.ok(await until("the snapshot", () => true), origin);
  }
  t.match(await figures("bidding_live_refused_total"), { origin: 3 });
});

t.test("whoever is refused and does not hang up loses the connection, and its place", async (t) => {
  const { reader, server, watch } = await startBroadcaster(t, { mostWatchers: 2 });
  const auction = anAuction();
  reader.set(auction);
  const closed: Promise<unknown>[] = [];
  for (const path of [
    "/nowhere",
    `/auctions/${auction.auctionId}/live`,
    `/auctions/${auction.auctionId}/live`,
  ]) {
    // It does not answer the end of the other side with its own; and there is no Sec-WebSocket-Key.
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    const answer = once(socket, "data");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    t.match(String(await answer), /^HTTP\/1.1 40[04] /);
    socket.on("error", () => {});
    // Ended, it still may send, until the other side has closed.
    closed.push(waitFor("the connection to be closed", () => socket.closed || !socket.write("x"), 10_000));
  }
  await Promise.all(closed);
  const places = [await watch(auction.auctionId), await watch(auction.auctionId)];
  for (const { until } of places) t.ok(await until("the snapshot", () => true));
});

t.test("more watchers than may are 503 with Retry-After; a place that is free again is given", async (t) => {
  const { reader, watch } = await startBroadcaster(t, { mostWatchers: 2 });
  const auction = anAuction();
  reader.set(auction);
  const first = await watch(auction.auctionId);
  await watch(auction.auctionId);
  t.match(await refusal(t, watch(auction.auctionId)), {
    status: 503,
    headers: { "retry-after": "2" },
    problem: { code: "OVERLOADED", retryable: true },
  });
  first.socket.close();
  await first.closed;
  await waitFor("a place", () => watch(auction.auctionId));
});

t.test("who is refused takes no place", async (t) => {
  const { watch, reader } = await startBroadcaster(t, { mostWatchers: 1 });
  for (let n = 0; n < 5; n += 1) await refusal(t, watch(anAuction().auctionId));
  const auction = anAuction();
  reader.set(auction);
  t.ok(await watch(auction.auctionId));
});

t.test("while Redis is out: 503 with Retry-After, and not ready; then as before", async (t) => {
  const { reader, url, watch } = await startBroadcaster(t);
  const auction = anAuction();
  reader.set(auction);
  reader.out = true;
  const refused = await refusal(t, watch(auction.auctionId));
  t.match(refused, { status: 503, problem: { code: "DEPENDENCY_UNAVAILABLE" } });
  t.equal(refused.headers["retry-after"], "1");
  t.match(await (await fetch(`${url}/health/ready`)).json(), { status: "not ready" });
  reader.out = false;
  await watch(auction.auctionId);
});

/** Sends a request as it is; resolves to the whole answer. */
function exchange({ server }: Stage, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    let text = "";
    socket.setEncoding("latin1").on("data", (part) => {
      text += part;
    });
    socket.once("error", reject).once("close", () => resolve(text));
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  });
}

t.test("what is no right handshake is told so", async (t) => {
  const stage = await startBroadcaster(t, { mostWatchers: 1 });
  const auction = anAuction();
  stage.reader.set(auction);
  const path = `/auctions/${auction.auctionId}/live`;
  const upgrade = ["Host: x", "Connection: Upgrade", "Upgrade: websocket"];
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const rows = {
    "no key": [`GET ${path} HTTP/1.1`, ...upgrade, "Sec-WebSocket-Version: 13"],
    "a version of its own": [`GET ${path} HTTP/1.1`, ...upgrade, key, "Sec-WebSocket-Version: 99"],
    "a POST": [`POST ${path} HTTP/1.1`, ...upgrade, key, "Sec-WebSocket-Version: 13", "Content-Length: 0"],
  };
  for (const [what, lines] of Object.entries(rows)) {
    t.match(await exchange(stage, lines), /^HTTP\/1\.1 400 .*"code":"BAD_REQUEST"/s, what);
  }
  await waitFor("their places to be free", () => stage.feed.followed.length === 0);
  t.ok(await stage.watch(auction.auctionId));
});

t.test("without a handshake it is 426; another protocol that is offered is not taken", async (t) => {
  const stage = await startBroadcaster(t);
  const path = `/auctions/${anAuction().auctionId}/live`;
  const plain = await fetch(stage.url + path);
  t.equal(plain.status, 426);
  t.match(await plain.json(), { code: "UPGRADE_REQUIRED" });
  const h2c = ["GET /health HTTP/1.1", "Host: x", "Connection: Upgrade, close", "Upgrade: h2c"];
  t.match(await exchange(stage, h2c), /^HTTP\/1\.1 200 OK/);
});

t.test("a frame over the limit is closed with 1009; small ones are thrown away", async (t) => {
  const { reader, feed, watch } = await startBroadcaster(t);
  const auction = anAuction();
  reader.set(auction);
  const quiet = await watch(auction.auctionId);
  const talkative = await watch(auction.auctionId);
  talkative.socket.send("hello");
  talkative.socket.send(Buffer.alloc(1024));
  feed.tell(bidEvent(auction, 1));
  await talkative.until("the price", ({ seq }) => seq === 1);
  talkative.socket.send("x".repeat(1025));
  t.equal(await talkative.closed, 1009);
  feed.tell(bidEvent(auction, 2));
  await quiet.until("the price", ({ seq }) => seq === 2);
});

t.test("compression is not agreed to", async (t) => {
  const { reader, watch } = await startBroadcaster(t);
  const auction = anAuction();
  reader.set(auction);
  const { socket } = await watch(auction.auctionId, { perMessageDeflate: true });
  t.equal(socket.extensions, "");
});

t.test("a reader that is stuck is cut off at the cap; the others get everything", async (t) => {
  const mostBufferedBytes = 64 * 1024;
  const { reader, feed, broadcast, watch, figures } = await startBroadcaster(t, { hz: 0, mostBufferedBytes });
  const auction = anAuction();
  reader.set(auction);
  const stuck = await watch(auction.auctionId);
  await stuck.until("the snapshot", () => true);
  stuck.socket.pause();
  const other = await watch(auction.auctionId);
  let seq = 0;
  let most = 0;
  await waitFor(
    "the stuck one to be cut off",
    async () => {
      for (let n = 0; n < 200; n += 1) {
        seq += 1;
        feed.tell(bidEvent(auction, seq, "b".repeat(64)));
      }
      most = Math.max(most, broadcast.figures.bufferedBytes);
      return (await figures("bidding_live_cut_off_total")).buffer === 1;
    },
    60_000,
  );
  await other.until("the last price", (message) => message.seq === seq);
  t.equal(other.messages.length, seq + 1, "not one is missing");
  t.equal(other.socket.readyState, WebSocket.OPEN);
  t.ok(most <= 2 * mostBufferedBytes, `${most} bytes were waiting at the most`);
  await waitFor("it to be forgotten", () => broadcast.figures.watchers === 1);
  stuck.socket.resume();
  t.equal(await stuck.closed, 1006);
});

t.test("who answers no ping is cut off; who does stays", async (t) => {
  const { reader, watch, figures } = await startBroadcaster(t, { pingSeconds: 1 });
  const auction = anAuction();
  reader.set(auction);
  const silent = await watch(auction.auctionId, { autoPong: false });
  const other = await watch(auction.auctionId);
  t.equal(await silent.closed, 1006);
  let pings = 0;
  other.socket.on("ping", () => {
    pings += 1;
  });
  await waitFor("two more pings", () => pings >= 2);
  t.equal(other.socket.readyState, WebSocket.OPEN);
  t.match(await figures("bidding_live_cut_off_total"), { silent: 1 });
});

t.test("pings whose pongs are never read do not fill the memory", async (t) => {
  const { reader, watch, figures } = await startBroadcaster(t, { mostBufferedBytes: 16 * 1024 });
  const auction = anAuction();
  reader.set(auction);
  const { socket, closed } = await watch(auction.auctionId);
  socket.pause();
  const load = Buffer.alloc(125);
  await waitFor(
    "it to be cut off",
    async () => {
      for (let n = 0; n < 2000 && socket.bufferedAmount < 1024 ** 2; n += 1) socket.ping(load);
      return (await figures("bidding_live_cut_off_total")).buffer === 1;
    },
    60_000,
  );
  socket.resume();
  await closed;
});

t.test(
  "at its end the server closes with 1001, cuts off who does not close, and refuses who comes",
  async (t) => {
    const { reader, server, broadcast, upgrade, watch } = await startBroadcaster(t);
    const auction = afterBid(anAuction(), 1);
    reader.set(auction);
    const polite = await watch(auction.auctionId);
    const stuck = await watch(auction.auctionId);
    stuck.socket.pause();
    upgrade.drain();
    t.match(await refusal(t, watch(auction.auctionId)), { status: 503 });
    const began = performance.now();
    const stopped = Promise.all([server.close(5000), broadcast.stop(500)]);
    t.equal(await polite.closed, 1001);
    await stopped;
    t.ok(performance.now() - began < 4000, "the stuck one is waited for no longer than told");
    stuck.socket.resume();
    t.ok([1001, 1006].includes(await stuck.closed));
  },
);
