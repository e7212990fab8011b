/** Live subscribers against a server that does what is told of it: what they keep, how they come back, and that they end. */

import type { AddressInfo } from "node:net";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { type WebSocket, WebSocketServer } from "ws";
import { type LiveMessage, Watchers } from "../../../src/experiments/bidding/watchers.ts";

const AUCTION = "00000000-0000-4000-8000-000000000001";
const snapshot = (seq: number, highest: number | null) => ({
  type: "snapshot",
  status: "open",
  seq,
  highest,
  bidder_id: highest === null ? null : "b",
});
const price = (seq: number, highest: number, bidder_id = "b") => ({
  type: "price",
  seq,
  highest,
  bidder_id,
  at: "2026-01-01T00:00:00.000Z",
});

async function aServer(t: Test, first: object = snapshot(0, null)) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await new Promise((resolve) => server.once("listening", resolve));
  t.teardown(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const state = { first: first as object | undefined, paths: [] as string[] };
  const text = (message: object | string) =>
    typeof message === "string" ? message : JSON.stringify(message);
  server.on("connection", (socket: WebSocket, { url = "" }) => {
    state.paths.push(url);
    if (state.first !== undefined) socket.send(text(state.first));
  });
  const tell = (message: object | string) => {
    for (const client of server.clients) client.send(text(message));
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, url, state, tell };
}

async function watch(t: Test, url: string, options: object = {}) {
  const signal = AbortSignal.timeout(10_000);
  const watchers = await Watchers.connect({ url, auctionId: AUCTION, count: 3, signal, ...options });
  t.teardown(() => watchers[Symbol.asyncDispose]());
  return watchers;
}

const total = (watchers: Watchers) =>
  watchers.seen().watchers.reduce((sum, { messages }) => sum + messages, 0);

t.test("each is told of the auction, then of prices, and all prices are kept once", async (t) => {
  const { url, state, tell } = await aServer(t);
  const heard: LiveMessage[] = [];
  const watchers = await watch(t, url, {
    name: "crowd",
    onMessage: (message: LiveMessage) => heard.push(message),
  });
  t.same([...new Set(state.paths)], [`/auctions/${AUCTION}/live`]);
  t.equal(total(watchers), 3);
  tell(price(2, 120));
  tell(price(5, 200));
  tell({ type: "ended", seq: 5, highest: 200, bidder_id: "b" });
  await waitFor("all messages", () => total(watchers) === 12);
  const { watchers: reports, prices, bidders, disputed } = watchers.seen();
  t.same(
    reports.map(({ name }) => name),
    ["crowd-1", "crowd-2", "crowd-3"],
  );
  for (const report of reports) {
    t.match(report, {
      connected: true,
      messages: 4,
      unreadable: 0,
      seq: 5,
      highest: 200,
      wentBack: 0,
      ended: true,
    });
  }
  t.same(
    [...prices],
    [
      [0, null],
      [2, 120],
      [5, 200],
    ],
  );
  t.same([...bidders.values()], [null, "b", "b"]);
  t.equal(disputed.size, 0);
  t.equal(heard.length, 12);
  t.ok(watchers.reached(5));
  t.notOk(watchers.reached(6));
});

t.test(
  "a number that goes back, two prices or bidders for one number, and nonsense are noticed",
  async (t) => {
    const { url, tell } = await aServer(t, snapshot(3, 100));
    const watchers = await watch(t, url, { count: 1 });
    tell(price(4, 110));
    tell(price(3, 100));
    tell(price(4, 111));
    tell("nonsense");
    tell({ type: "price", seq: -1, highest: 1, bidder_id: "b" });
    tell({ type: "price", seq: 6, highest: 130 });
    tell(price(5, 120));
    tell(price(5, 120, "c"));
    await waitFor("all messages", () => total(watchers) === 9);
    t.match(watchers.seen().watchers, [{ wentBack: 1, unreadable: 3, seq: 5, highest: 120 }]);
    t.same([...watchers.seen().disputed], [4, 5], "two amounts, or two bidders");
  },
);

t.test("that there is nothing new is no message of the auction, and no nonsense", async (t) => {
  const { url, tell } = await aServer(t, snapshot(3, 100));
  const heard: string[] = [];
  const watchers = await watch(t, url, { onMessage: ({ type }: LiveMessage) => heard.push(type) });
  tell({ type: "tick" });
  tell(price(4, 110));
  tell({ type: "tick" });
  tell(price(5, 120));
  await waitFor("the last price", () => watchers.reached(5));
  t.same(heard.toSorted(), [
    "price",
    "price",
    "price",
    "price",
    "price",
    "price",
    ...Array(3).fill("snapshot"),
  ]);
  for (const report of watchers.seen().watchers) {
    t.match(report, { messages: 3, unreadable: 0, seq: 5, wentBack: 0 });
  }
});

t.test("who is cut off comes back, and remembers what was told before", async (t) => {
  const { server, url, state } = await aServer(t, snapshot(5, 100));
  const watchers = await watch(t, url);
  state.first = snapshot(4, 90);
  for (const client of server.clients) client.terminate();
  await waitFor("their return", () => total(watchers) === 6);
  for (const { connected, wentBack, seq } of watchers.seen().watchers) {
    t.same({ connected, wentBack, seq }, { connected: true, wentBack: 1, seq: 4 });
  }
});

t.test("who cannot come back is not connected, and goes on trying until it is over", async (t) => {
  const { server, url } = await aServer(t);
  const watchers = await watch(t, url);
  server.close();
  for (const client of server.clients) client.terminate();
  await waitFor("the loss", () => watchers.seen().watchers.every(({ connected }) => !connected));
  t.ok(watchers.reached(99), "nobody is left who could be told");
  await watchers[Symbol.asyncDispose]();
});

t.test("who is not let in, or told nothing, fails the connecting", async (t) => {
  const { server, url } = await aServer(t);
  server.options.verifyClient = (_: unknown, answer: (ok: boolean, code: number) => void) =>
    answer(false, 404);
  await t.rejects(watch(t, url), { code: "COMMAND_FAILED", message: /watcher-1 was not let in/ });
  await t.rejects(watch(t, "http://127.0.0.1:1"), { code: "COMMAND_FAILED" });
  const silent = await aServer(t);
  silent.state.first = undefined;
  const gone = new AbortController();
  const watching = watch(t, silent.url, { signal: gone.signal });
  await waitFor("the connection", () => silent.state.paths.length > 0);
  gone.abort(new Error("enough"));
  await t.rejects(watching, /enough/);
  await waitFor("the end of all connections", () => silent.server.clients.size === 0);
});

t.test("who stalls reads nothing more: the server's buffer fills", async (t) => {
  const { server, url, tell } = await aServer(t);
  const watchers = await watch(t, url, { count: 1 });
  watchers.stall();
  const filler = { ...price(1, 1), filler: "x".repeat(1 << 20) };
  for (let at = 0; at < 32; at += 1) tell(filler);
  const [socket] = server.clients;
  await waitFor("a buffer that is not emptied", () => (socket?.bufferedAmount ?? 0) > 1 << 20);
  t.equal(total(watchers), 1);
});

t.test("it ends also where the server does not answer the closing", async (t) => {
  const { server, url } = await aServer(t);
  const watchers = await watch(t, url, { count: 20 });
  // A server that hangs.
  for (const client of server.clients) client.pause();
  await watchers[Symbol.asyncDispose]();
  t.ok(watchers.seen().watchers.every(({ connected }) => !connected));
});
