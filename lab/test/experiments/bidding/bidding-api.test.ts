/** The client of bidding against a server that answers as is told of it. */

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import { LabError } from "../../../src/cli/lab-error.ts";
import { BiddingApi, biddingTarget } from "../../../src/experiments/bidding/bidding-api.ts";

const ID = "00000000-0000-4000-8000-000000000001";
const AUCTION = {
  auction_id: ID,
  item: "a lamp",
  starting_price: 100,
  min_increment: 10,
  created_at: "2026-01-01T00:00:00.000Z",
  ends_at: "2026-01-02T00:00:00.000Z",
  status: "open",
  seq: 0,
  highest: null,
  bidder_id: null,
  bid_id: null,
  least: 100,
};

type Answers = (request: { line: string; body: unknown }) => { status: number; body: unknown };

async function anApi(t: Test, answers: Answers) {
  const asked: { line: string; body: unknown }[] = [];
  const read = async (request: IncomingMessage) => {
    const sent = await text(request);
    return { line: `${request.method} ${request.url}`, body: sent === "" ? undefined : JSON.parse(sent) };
  };
  const server = createServer(async (request, response) => {
    const one = await read(request);
    asked.push(one);
    const { status, body } = answers(one);
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const api = new BiddingApi({ gateway, live: gateway });
  t.teardown(async () => {
    await api[Symbol.asyncDispose]();
    server.close();
  });
  return { api, asked };
}

t.test("an auction is made and found; one that is unknown is not", async (t) => {
  const { api, asked } = await anApi(t, ({ line }) => {
    if (line === "POST /auctions") return { status: 201, body: AUCTION };
    return line === `GET /auctions/${ID}` ? { status: 200, body: AUCTION } : { status: 404, body: {} };
  });
  const { item, starting_price, min_increment, ends_at } = AUCTION;
  const terms = { item, starting_price, min_increment, ends_at };
  t.match(await api.createAuction(terms), { auction_id: ID, least: 100 });
  t.same(asked[0]?.body, terms);
  t.match(await api.findAuction(ID), { seq: 0, highest: null });
  t.equal(await api.findAuction("other"), undefined);
});

t.test("a bid resolves with its answer, whatever it is", async (t) => {
  const answers = [
    { status: 201, body: { bid_id: ID, seq: 1, amount: 100 } },
    { status: 409, body: { type: "about:blank", status: 999, seq: 1, highest: 100, least: 110 } },
    { status: 410, body: { detail: "ended" } },
    { status: 503, body: "<html>no server is available</html>" },
  ];
  const { api, asked } = await anApi(t, () => answers[asked.length - 1] ?? { status: 500, body: {} });
  const bid = { bidder_id: "b", amount: 100, bid_id: ID };
  t.same(await api.bid(ID, bid), { status: 201, bid_id: ID, seq: 1, amount: 100 });
  t.same(asked[0], { line: `POST /auctions/${ID}/bids`, body: bid });
  t.same(await api.bid(ID, bid), { status: 409, seq: 1, highest: 100, least: 110 });
  t.same(await api.bid(ID, bid), { status: 410 });
  t.same(await api.bid(ID, bid), { status: 503 });
});

t.test("the archive, page by page until there is none", async (t) => {
  const bid = (seq: number) => ({ seq, bid_id: ID, bidder_id: "b", amount: seq });
  const { api, asked } = await anApi(t, ({ line }) => ({
    status: 200,
    body: line.includes("cursor=next")
      ? { bids: [bid(1)], next_cursor: null }
      : { bids: [bid(3), bid(2)], next_cursor: "next&" },
  }));
  const pages: number[][] = [];
  for await (const page of api.archivedBids(ID)) pages.push(page.map(({ seq }) => seq));
  t.same(pages, [[3, 2], [1]]);
  t.same(
    asked.map(({ line }) => line.split("?")[1]),
    ["limit=1000", "limit=1000&cursor=next%26"],
  );
  t.equal(await api.newestArchived(ID), 3);
  await t.rejects(api.archivedBids(ID, AbortSignal.abort(new Error("enough"))).next(), /enough/);
});

t.test("answers that are not as documented, and none, are errors", async (t) => {
  const { api } = await anApi(t, () => ({ status: 200, body: { ...AUCTION, seq: "1" } }));
  await t.rejects(api.findAuction(ID), { code: "COMMAND_FAILED", message: /GET .* answered 200/ });
  await t.rejects(api.createAuction({ ...AUCTION }), {
    code: "COMMAND_FAILED",
    message: /POST .* answered 200/,
  });
  await t.rejects(api.newestArchived(ID), { code: "COMMAND_FAILED" });
  const nobody = new BiddingApi({ gateway: "http://127.0.0.1:1", live: "http://127.0.0.1:1" });
  t.teardown(() => nobody[Symbol.asyncDispose]());
  await t.rejects(nobody.findAuction(ID), { code: "COMMAND_FAILED", message: /got no answer/ });
});

t.test("bids go to the load balancer where there is one", async (t) => {
  const lab = (...parts: readonly string[]) => ({
    endpoint(part: string) {
      if (parts.includes(part)) return `http://127.0.0.1:1/${part}`;
      throw new LabError("NO_SUCH_PART", part);
    },
  });
  t.equal(biddingTarget(lab("bidding-balancer", "bidding-gateway-1")), "bidding-balancer");
  t.equal(biddingTarget(lab("bidding-gateway-1")), "bidding-gateway-1");
  const broken = () => {
    throw new LabError("NOT_RUNNING", "nothing runs");
  };
  t.throws(() => biddingTarget({ endpoint: broken }), { code: "NOT_RUNNING" });
});
