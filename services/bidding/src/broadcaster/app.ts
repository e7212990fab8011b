/** The broadcaster's HTTP side: the live page, and what the page asks of the gateway. The WebSockets are live/. */

import {
  AuctionEnded,
  BidTooLow,
  type Context,
  createApp,
  DependencyUnavailable,
  defineApi,
  type Logger,
  type Metrics,
  NotFound,
  type Tracing,
  UpgradeRequired,
} from "@parallax/service";
import { z } from "zod";
import { aboutPart } from "../domain/about.ts";
import {
  acceptedBidSchema,
  auctionPageSchema,
  auctionPathSchema,
  auctionSchema,
  auctionsQuerySchema,
  bidPageSchema,
  bidRequestSchema,
  bidsQuerySchema,
} from "../gateway/schemas.ts";
import type { Forwarder } from "./forward.ts";
import { TICK_SECONDS } from "./live/messages.ts";
import type { AuctionReader } from "./live/ports.ts";
import type { Pages } from "./pages.ts";

export interface BroadcasterParts {
  readonly reader: AuctionReader;
  readonly forwarder: Forwarder;
  readonly pages: Pages;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
}

const DESCRIPTION = `Live prices, and the page that shows them. Bids and questions of the page are sent on to the gateway.

\`GET /auctions/{id}/live\` opens a WebSocket. It is refused with a problem document: 403 for a page of another origin, 404 for an
auction that is not there, 503 when there are too many watchers or the auction cannot be read. Messages are JSON objects in text frames, from the server only:

- \`{"type": "snapshot", auction_id, item, status, starting_price, min_increment, ends_at, seq, highest, bidder_id, at}\` comes first;
- \`{"type": "price", auction_id, seq, highest, bidder_id, at}\` when the price has changed, the latest of what happened since the one before;
- \`{"type": "ended", auction_id, seq, highest, bidder_id, at}\` when the auction is over;
- \`{"type": "tick"}\` when nothing else has been sent for ${TICK_SECONDS} s: the server is there, and there is nothing new. Whoever hears nothing for
  longer than two of these watches a server that hangs, and does well to connect again. Types that are not known are to be ignored.

\`seq\` is the number of the highest bid and never goes back; \`highest\` and \`bidder_id\` are null before the first one; \`at\` is when it was
so. The server pings, too. It closes with 1001 when it stops, 1009 on a frame over 1 KiB, 1012 when what it sent is no longer true, and cuts off
whoever does not read: connect again, and a snapshot says how things are.`;

const page = { contentType: "text/html", schema: z.string() };
const cached = { "Cache-Control": z.string().optional() };
const unchanged = { description: "As it was (If-None-Match).", headers: cached };

export function createBroadcaster(parts: BroadcasterParts) {
  const { forwarder, pages, logger, metrics, reader } = parts;
  const forward = (ctx: Context) => forwarder.forward(ctx);

  /** A browser that comes to look gets a page; whoever asks for JSON gets the gateway's answer. */
  const pageOr = (name: string) => (ctx: Context) => {
    ctx.vary("Accept");
    if (ctx.accepts("json", "html") === "html") pages.send(ctx, name);
    else return forward(ctx);
  };

  const api = defineApi(aboutPart("broadcaster", DESCRIPTION), [
    {
      method: "get",
      path: "/",
      id: "auctionsPage",
      summary: "The page of all auctions",
      answers: { 200: { description: "The page.", ...page, headers: cached }, 304: unchanged },
      handle: (ctx) => pages.send(ctx, "auctions.html"),
    },
    {
      method: "get",
      path: "/assets/{file}",
      id: "asset",
      summary: "What the pages are made of",
      params: z.object({ file: z.string() }),
      answers: {
        200: {
          description: "The file.",
          headers: cached,
          alternatives: {
            "text/css": z.string(),
            "text/javascript": z.string(),
            "image/svg+xml": z.string(),
            "text/html": z.string(),
          },
        },
        304: unchanged,
      },
      problems: [NotFound],
      handle: (ctx) => pages.send(ctx, ctx.params.file ?? ""),
    },
    {
      method: "get",
      path: "/auctions",
      id: "listAuctions",
      summary:
        "Auctions, newest first, page by page: the gateway's answer, or a page where HTML is asked for",
      query: auctionsQuerySchema,
      answers: {
        200: {
          description: "A page of them.",
          schema: auctionPageSchema,
          alternatives: { "text/html": z.string() },
          headers: cached,
        },
        304: unchanged,
      },
      problems: [DependencyUnavailable],
      handle: pageOr("auctions.html"),
    },
    {
      method: "get",
      path: "/auctions/{id}",
      id: "findAuction",
      summary: "How an auction stands: the gateway's answer, or its page where HTML is asked for",
      params: auctionPathSchema,
      answers: {
        200: {
          description: "Now.",
          schema: auctionSchema,
          alternatives: { "text/html": z.string() },
          headers: cached,
        },
        304: unchanged,
      },
      problems: [NotFound, DependencyUnavailable],
      handle: pageOr("auction.html"),
    },
    {
      method: "post",
      path: "/auctions/{id}/bids",
      id: "placeBid",
      summary: "Bid: sent on to the gateway",
      params: auctionPathSchema,
      body: bidRequestSchema,
      answers: { 201: { description: "It is the highest bid now, or was.", schema: acceptedBidSchema } },
      problems: [NotFound, BidTooLow, AuctionEnded, DependencyUnavailable],
      handle: forward,
    },
    {
      method: "get",
      path: "/auctions/{id}/bids",
      id: "listBids",
      summary: "Accepted bids, newest first, page by page: the gateway's answer",
      params: auctionPathSchema,
      query: bidsQuerySchema,
      answers: { 200: { description: "A page.", schema: bidPageSchema, headers: cached } },
      problems: [NotFound, DependencyUnavailable],
      handle: forward,
    },
    {
      method: "get",
      path: "/auctions/{id}/live",
      id: "watch",
      summary: "Where WebSockets are opened; without the handshake of one it is 426",
      params: auctionPathSchema,
      answers: {},
      problems: [UpgradeRequired],
      handle: () => {
        throw new UpgradeRequired("Open a WebSocket here.", {
          headers: { Connection: "Upgrade", Upgrade: "websocket" },
        });
      },
    },
  ]);

  return createApp({
    logger,
    metrics,
    router: api.router,
    document: api.document,
    tracing: parts.tracing,
    // Watchers go on hearing from Redis while NATS is away, and see prices while the gateway is.
    readiness: [{ name: "redis", check: () => reader.check() }],
  });
}
