/** A broadcaster for tests: its server and WebSockets are real; Redis, NATS and the gateway are what the test makes of them. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createMetrics, listen } from "@parallax/service";
import { type OpenApi, silentLogger, waitFor, witnessAnswers } from "@parallax/testkit";
import { WebSocket } from "ws";
import { z } from "zod";
import { MemoryAuctionReader, MemoryPriceFeed } from "../../src/adapters/memory-live.ts";
import { createBroadcaster } from "../../src/broadcaster/app.ts";
import { createForwarder } from "../../src/broadcaster/forward.ts";
import { Broadcast } from "../../src/broadcaster/live/broadcast.ts";
import { type LiveMessage, liveMessageSchema, tickSchema } from "../../src/broadcaster/live/messages.ts";
import { createLiveMetrics } from "../../src/broadcaster/live/metrics.ts";
import { createUpgrade } from "../../src/broadcaster/live/upgrade.ts";
import { loadPages } from "../../src/broadcaster/pages.ts";
import type { AuctionState } from "../../src/domain/auction.ts";
import type { AuctionEvent } from "../../src/domain/events.ts";

export interface Test {
  teardown(release: () => unknown): void;
}

export interface StageSettings {
  readonly hz?: number;
  readonly pingSeconds?: number;
  readonly tickSeconds?: number;
  /** So long that nothing is reconciled, unless told. */
  readonly reconcileSeconds?: number;
  readonly allowedOrigins?: readonly string[];
  readonly mostWatchers?: number;
  readonly mostBufferedBytes?: number;
  /** Nowhere unless told. */
  readonly gatewayUrl?: string;
  /** Milliseconds that the gateway's answer may take. */
  readonly answerMs?: number;
}

export async function startBroadcaster(t: Test, settings: StageSettings = {}) {
  const reader = new MemoryAuctionReader();
  const feed = new MemoryPriceFeed();
  const logger = silentLogger();
  const metrics = createMetrics("bidding-broadcaster");
  const broadcast = new Broadcast({
    reader,
    feed,
    logger,
    metrics: (figures) => createLiveMetrics(metrics, figures),
    hz: settings.hz ?? 20,
    pingSeconds: settings.pingSeconds ?? 25,
    reconcileSeconds: settings.reconcileSeconds ?? 3600,
    ...(settings.tickSeconds !== undefined && { tickSeconds: settings.tickSeconds }),
  });
  const upgrade = createUpgrade({
    broadcast,
    logger,
    allowedOrigins: settings.allowedOrigins ?? [],
    mostWatchers: settings.mostWatchers ?? 1000,
    mostBufferedBytes: settings.mostBufferedBytes ?? 1024 ** 2,
  });
  const forwarder = createForwarder({
    url: settings.gatewayUrl ?? "http://127.0.0.1:1",
    answerMs: settings.answerMs ?? 5000,
  });
  const pages = await loadPages();
  const app = createBroadcaster({ reader, forwarder, pages, logger, metrics });
  const bare = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  const document = (await (await fetch(`${bare.url}/openapi.json`)).json()) as OpenApi;
  await bare.close(0);
  const witness = witnessAnswers(app.callback, document);
  const server = await listen(witness.listener, { host: "127.0.0.1", port: 0, upgrade });
  t.teardown(async () => {
    await Promise.all([server.close(100), broadcast.stop(0)]);
    await forwarder[Symbol.asyncDispose]();
    assert.deepEqual(witness.untrue, [], "every answer is true to the document");
  });
  return {
    app,
    reader,
    feed,
    broadcast,
    upgrade,
    document,
    server,
    url: server.url,
    liveUrl: (auctionId: string) => `${server.url.replace("http", "ws")}/auctions/${auctionId}/live`,
    watch: (auctionId: string, options: WebSocket.ClientOptions = {}) =>
      watch(t, `${server.url.replace("http", "ws")}/auctions/${auctionId}/live`, options),
    /** What a counter or gauge says, by its label. */
    async figures(name: string): Promise<Record<string, number>> {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const lines = text.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\d+)$`, "gm"));
      return Object.fromEntries(
        [...lines].map(([, labels = "", value]) => {
          const own = labels.split(",").find((label) => !label.startsWith("service="));
          return [own?.split('"')[1] ?? "", Number(value)];
        }),
      );
    },
  };
}

export type Stage = Awaited<ReturnType<typeof startBroadcaster>>;

export interface Watching {
  readonly socket: WebSocket;
  /** Without ticks. */
  readonly messages: LiveMessage[];
  /** So far. */
  readonly ticks: number;
  readonly last: LiveMessage | undefined;
  /** The code it was closed with. */
  readonly closed: Promise<number>;
  until(what: string, isSo: (message: LiveMessage) => boolean): Promise<LiveMessage>;
}

/** Opens a WebSocket as a program would. @throws Refusal when it is not opened */
export async function watch(t: Test, url: string, options: WebSocket.ClientOptions = {}): Promise<Watching> {
  const socket = new WebSocket(url, options);
  t.teardown(() => socket.terminate());
  const messages: LiveMessage[] = [];
  let ticks = 0;
  socket.on("message", (data, isBinary) => {
    assert.equal(isBinary, false);
    const message = z.union([liveMessageSchema, tickSchema]).parse(JSON.parse(String(data)));
    if (message.type === "tick") ticks += 1;
    else messages.push(message);
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part) => {
        body += part;
      });
      response.once("end", () => reject(new Refusal(response.statusCode ?? 0, response.headers, body)));
    });
  });
  socket.on("error", () => {});
  return {
    socket,
    messages,
    get ticks() {
      return ticks;
    },
    get last() {
      return messages.at(-1);
    },
    closed,
    until: (what, isSo) => waitFor(what, () => messages.find(isSo)),
  };
}

/** The answer in place of a WebSocket. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly problem: Readonly<Record<string, unknown>>;
  constructor(status: number, headers: NodeJS.Dict<string | string[]>, body: string) {
    super(`${status} ${body}`);
    this.status = status;
    this.headers = headers;
    this.problem = JSON.parse(body);
  }
}

export function anAuction(changes: Partial<AuctionState> = {}): AuctionState {
  return {
    auctionId: randomUUID(),
    item: "A lamp",
    startingPrice: 100,
    minIncrement: 10,
    createdAt: Date.now(),
    endsAt: Date.now() + 3_600_000,
    status: "open",
    seq: 0,
    highest: null,
    ...changes,
  };
}

/** The auction after its bid number `seq`. */
export function afterBid(auction: AuctionState, seq: number, bidderId = "ann"): AuctionState {
  return { ...auction, seq, highest: { amount: 100 + seq * 10, bidId: bidIdOf(seq), bidderId } };
}

/** That bid, as it is told. */
export function bidEvent({ auctionId }: AuctionState, seq: number, bidderId = "ann"): AuctionEvent {
  return {
    type: "bid",
    auction_id: auctionId,
    at: Date.now(),
    outbox_id: `${seq}-0`,
    seq,
    bid_id: bidIdOf(seq),
    bidder_id: bidderId,
    amount: 100 + seq * 10,
  };
}

export function endEvent({ auctionId, seq, highest }: AuctionState): AuctionEvent {
  return {
    type: "ended",
    auction_id: auctionId,
    at: Date.now(),
    outbox_id: "999999-0",
    seq,
    bid_id: highest?.bidId ?? null,
    bidder_id: highest?.bidderId ?? null,
    amount: highest?.amount ?? null,
  };
}

const bidIdOf = (seq: number) => `00000000-0000-4000-8000-${String(seq).padStart(12, "0")}`;
