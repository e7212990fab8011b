/** What the page asks of the gateway, sent on and brought back. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import t from "tap";
import { anAuction, startBroadcaster, type Test } from "./stage.ts";

const BID_ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const path = `/auctions/${anAuction().auctionId}/bids`;

interface Asked {
  readonly request: IncomingMessage;
  readonly body: string;
}

/** A gateway that answers as told, and what it was asked. */
async function startGateway(t: Test, answer: (response: ServerResponse, asked: Asked) => void) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const one = { request, body: await text(request) };
    asked.push(one);
    answer(response, one);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const json = (response: ServerResponse, status: number, body: object, headers: object = {}) =>
  response
    .writeHead(status, {
      "content-type": status < 400 ? "application/json" : "application/problem+json",
      ...headers,
    })
    .end(JSON.stringify(body));

const bid = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url + path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

t.test("a bid goes on as it came, byte by byte, and its answer comes back", async (t) => {
  const accepted = { bid_id: BID_ID, seq: 7, amount: 110 };
  const gateway = await startGateway(t, (response) => json(response, 201, accepted));
  const { url } = await startBroadcaster(t, { gatewayUrl: gateway.url });
  const body = `{ "amount":1e309,\t"bidder_id": "Zoë 🦉", "amount": 110}`;
  const answer = await bid(url, body, {
    "x-request-id": "r-1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    cookie: "secret",
    authorization: "secret",
  });
  t.equal(answer.status, 201);
  t.same(await answer.json(), accepted);
  const [{ request, body: got }] = gateway.asked as [Asked];
  t.equal(got, body);
  t.match({ method: request.method, url: request.url }, { method: "POST", url: path });
  t.match(request.headers, { "content-type": "application/json", "x-request-id": "r-1" });
  t.match(request.headers.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-/);
  t.notOk(request.headers.cookie ?? request.headers.authorization, "nothing else of the caller's is sent on");
});

t.test("problems come back as they are, and when to try again", async (t) => {
  const problem = {
    type: "urn:parallax:problem:bid-too-low",
    title: "t",
    status: 409,
    detail: "d",
    code: "BID_TOO_LOW",
    retryable: false,
    seq: 3,
    highest: 130,
    least: 140,
  };
  const busy = { ...problem, status: 503, code: "DEPENDENCY_UNAVAILABLE", retryable: true };
  let next: object & { status: number } = problem;
  const gateway = await startGateway(t, (response) =>
    json(response, next.status, next, next.status === 503 ? { "retry-after": "7", "set-cookie": "a=b" } : {}),
  );
  const { url } = await startBroadcaster(t, { gatewayUrl: gateway.url });
  const low = await bid(url, "{}");
  t.equal(low.status, 409);
  t.equal(low.headers.get("content-type"), "application/problem+json");
  t.same(await low.json(), problem);
  next = busy;
  const refused = await bid(url, "{}");
  t.equal(refused.status, 503);
  t.equal(refused.headers.get("retry-after"), "7");
  t.equal(refused.headers.get("set-cookie"), null);
  t.same(await refused.json(), busy);
});

t.test("lists are asked for with their query", async (t) => {
  const gateway = await startGateway(t, (response) =>
    json(response, 200, { auctions: [], next_cursor: null }, { "cache-control": "no-store" }),
  );
  const { url } = await startBroadcaster(t, { gatewayUrl: gateway.url });
  const answer = await fetch(`${url}/auctions?limit=3&cursor=${BID_ID}`);
  t.same(await answer.json(), { auctions: [], next_cursor: null });
  t.equal(answer.headers.get("cache-control"), "no-store");
  t.equal(answer.headers.get("vary"), "Accept");
  t.equal(gateway.asked[0]?.request.url, `/auctions?limit=3&cursor=${BID_ID}`);
});

t.test("a gateway that is not there is 503, and the bid was not sent", async (t) => {
  const { url } = await startBroadcaster(t);
  const answer = await bid(url, JSON.stringify({ bid_id: BID_ID }));
  t.equal(answer.status, 503);
  t.equal(answer.headers.get("retry-after"), "1");
  const problem = (await answer.json()) as { outcome?: string };
  t.match(problem, { code: "DEPENDENCY_UNAVAILABLE", detail: /gateway does not answer/ });
  t.equal(problem.outcome, undefined);
});

const unanswered: Record<string, (response: ServerResponse) => void> = {
  "never answers": () => {},
  "hangs up": (response) => void response.destroy(),
  "stops in the middle": (response) => {
    response.writeHead(201, { "content-type": "application/json", "content-length": "100" }).write("{");
    setTimeout(() => response.destroy(), 20);
  },
  "never ends": (response) => {
    response.writeHead(201, { "content-type": "application/json" }).write("{");
  },
  "is a balancer without gateways": (response) => {
    response.writeHead(503, { "content-type": "text/html" }).end("<h1>503</h1>");
  },
  "sends too much": (response) => {
    response.writeHead(201, { "content-type": "application/json" });
    response.end(Buffer.alloc(5 * 1024 * 1024, " "));
  },
};

for (const [what, answer] of Object.entries(unanswered)) {
  t.test(
    `a gateway that ${what}: 503, the bid's outcome is not known and it is said which bid`,
    async (t) => {
      const gateway = await startGateway(t, answer);
      const { url } = await startBroadcaster(t, { gatewayUrl: gateway.url, answerMs: 300 });
      const refused = await bid(url, JSON.stringify({ bid_id: BID_ID, amount: 1 }));
      t.equal(refused.status, 503);
      const problem = await refused.json();
      t.match(problem, {
        detail: /not known. Send it again/,
        bid_id: BID_ID,
        retryable: true,
        outcome: "unknown",
      });
      const asked = await fetch(`${url}/auctions`);
      t.equal(asked.status, 503);
      t.match(await asked.json(), { detail: /does not answer/ });
    },
  );
}

t.test("a body over the limit is 413 and is not sent on", async (t) => {
  const gateway = await startGateway(t, (response) => json(response, 201, {}));
  const { url } = await startBroadcaster(t, { gatewayUrl: gateway.url });
  const answer = await bid(url, "x".repeat(17 * 1024));
  t.equal(answer.status, 413);
  t.match(await answer.json(), { code: "BODY_TOO_LARGE" });
  t.equal(gateway.asked.length, 0);
});

t.test("when the caller hangs up, so does the broadcaster", async (t) => {
  const gone = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const gateway = await startGateway(t, (response) => {
    response.once("close", () => gone.resolve());
    begun.resolve();
  });
  const { url } = await startBroadcaster(t, { gatewayUrl: gateway.url });
  const caller = new AbortController();
  const answer = fetch(`${url}/auctions`, { signal: caller.signal });
  await begun.promise;
  caller.abort();
  await t.rejects(answer);
  await gone.promise;
});
