/** The gateway on a real port with in-memory twins; every answer must be true to its OpenAPI document. */

import assert from "node:assert/strict";
import { type App, createMetrics, listen } from "@parallax/service";
import { type OpenApi, silentLogger, witnessAnswers } from "@parallax/testkit";
import { MemoryArchive } from "../src/adapters/memory-archive.ts";
import { MemoryAuctions } from "../src/adapters/memory-auctions.ts";
import type { Auction } from "../src/domain/auction.ts";
import { createGateway } from "../src/gateway/app.ts";

/** Whoever can register a cleanup: a tap test. */
export interface Test {
  teardown(release: () => unknown): void;
}

let document: Promise<OpenApi> | undefined;

export async function startGateway(t: Test, settings: { mostUnarchived?: number } = {}) {
  const auctions = new MemoryAuctions(settings);
  const archive = new MemoryArchive();
  const metrics = createMetrics("bidding-gateway");
  const created: Auction[] = [];
  const app = createGateway({
    auctions,
    archive,
    onCreated: (auction) => void created.push(auction),
    logger: silentLogger(),
    metrics,
    maxInFlight: 100,
  });
  document ??= documentOf(app);
  const witness = witnessAnswers(app.callback, await document);
  const server = await listen(witness.listener, { host: "127.0.0.1", port: 0 });
  t.teardown(async () => {
    await server.close(100);
    assert.deepEqual(witness.untrue, [], "every answer is true to the document");
  });
  const { url } = server;

  async function open(changes: object = {}): Promise<string> {
    const response = await post(`${url}/auctions`, { ...goodAuction(), ...changes });
    assert.equal(response.status, 201);
    return ((await response.json()) as { auction_id: string }).auction_id;
  }

  return {
    app,
    auctions,
    archive,
    metrics,
    /** What was told to be opened. */
    created,
    url,
    /** @returns its id */
    open,
    bid: (id: string, body: object) => post(`${url}/auctions/${id}/bids`, body),
  };
}

export function goodAuction() {
  return {
    item: "A vase",
    starting_price: 100,
    min_increment: 5,
    ends_at: new Date(Date.now() + 3_600_000).toISOString(),
  };
}

export const goodBid = { bidder_id: "ann", amount: 100 };

export function post(url: string, body: unknown): Promise<Response> {
  return postRaw(url, JSON.stringify(body));
}

export function postRaw(url: string, body: string): Promise<Response> {
  return fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } });
}

export async function documentOf(app: App): Promise<OpenApi> {
  const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  try {
    const answer = await fetch(`${server.url}/openapi.json`);
    assert.equal(answer.status, 200);
    return (await answer.json()) as OpenApi;
  } finally {
    await server.close(0);
  }
}
