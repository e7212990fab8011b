/** The gateway's HTTP API: auctions are opened, bid on and looked at. */

import {
  AuctionEnded,
  BidTooLow,
  createApp,
  DependencyUnavailable,
  defineApi,
  type Logger,
  type Metrics,
  NotFound,
  type Tracing,
} from "@parallax/service";
import { z } from "zod";
import { aboutPart } from "../domain/about.ts";
import type { Archive, Auctions } from "../domain/ports.ts";
import { type CreateAuctionParts, createAuction } from "./create-auction.ts";
import { findAuction, listAuctions } from "./find-auction.ts";
import { listBids } from "./list-bids.ts";
import { placeBid } from "./place-bid.ts";
import {
  acceptedBidSchema,
  auctionPageSchema,
  auctionPathSchema,
  auctionRequestSchema,
  auctionSchema,
  auctionsQuerySchema,
  bidPageSchema,
  bidRequestSchema,
  bidsQuerySchema,
  noStore,
} from "./schemas.ts";

export interface GatewayParts {
  readonly auctions: Auctions;
  readonly archive: Archive;
  readonly onCreated?: CreateAuctionParts["onCreated"];
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
  readonly maxInFlight: number;
}

export function createGateway(parts: GatewayParts) {
  const { auctions, archive, logger, metrics } = parts;
  const readers = { auctions, archive };

  const api = defineApi(aboutPart("gateway", "Opens auctions, takes bids and tells how auctions stand."), [
    {
      method: "post",
      path: "/auctions",
      id: "createAuction",
      summary: "Open an auction",
      body: auctionRequestSchema,
      answers: {
        201: {
          description: "It is open.",
          schema: auctionSchema,
          headers: { Location: z.string().meta({ description: "Where to ask how it stands." }) },
        },
      },
      problems: [DependencyUnavailable],
      handle: createAuction({ auctions, metrics, onCreated: parts.onCreated }),
    },
    {
      method: "get",
      path: "/auctions",
      id: "listAuctions",
      summary: "Auctions, newest first, page by page",
      query: auctionsQuerySchema,
      answers: { 200: { description: "A page.", schema: auctionPageSchema, headers: noStore } },
      problems: [DependencyUnavailable],
      handle: listAuctions(readers),
    },
    {
      method: "get",
      path: "/auctions/{id}",
      id: "findAuction",
      summary: "How an auction stands",
      params: auctionPathSchema,
      answers: { 200: { description: "Now.", schema: auctionSchema, headers: noStore } },
      problems: [NotFound, DependencyUnavailable],
      handle: findAuction(readers),
    },
    {
      method: "post",
      path: "/auctions/{id}/bids",
      id: "placeBid",
      summary: "Bid",
      description:
        'The same `bid_id` again, with the same bidder and amount, gets the same answer and has one effect. After 503 that is how to learn what became of a bid; the problem carries its `bid_id`, and `outcome: "unknown"` where the bid may have been accepted; without that it was not. Of an auction with very many answers those of refused bids are no longer kept: such a bid had no effect, and sent again gets the same or a later refusal.',
      params: auctionPathSchema,
      body: bidRequestSchema,
      answers: { 201: { description: "It is the highest bid now, or was.", schema: acceptedBidSchema } },
      problems: [NotFound, BidTooLow, AuctionEnded, DependencyUnavailable],
      handle: placeBid({ auctions, archive, metrics }),
    },
    {
      method: "get",
      path: "/auctions/{id}/bids",
      id: "listBids",
      summary: "Accepted bids, newest first, page by page, as far as they are archived",
      params: auctionPathSchema,
      query: bidsQuerySchema,
      answers: { 200: { description: "A page.", schema: bidPageSchema, headers: noStore } },
      problems: [NotFound, DependencyUnavailable],
      handle: listBids(readers),
    },
  ]);

  return createApp({
    logger,
    metrics,
    router: api.router,
    document: api.document,
    tracing: parts.tracing,
    maxInFlight: parts.maxInFlight,
    // Of the archive bids need nothing: a gateway without it must go on taking them.
    readiness: [{ name: "redis", check: () => auctions.check() }],
  });
}
