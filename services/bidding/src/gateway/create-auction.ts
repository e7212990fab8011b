/** `POST /auctions`: an auction is opened. */

import { randomUUIDv7 } from "node:crypto";
import {
  type Context,
  DependencyUnavailable,
  jsonBody,
  type Metrics,
  Overloaded,
  ValidationFailed,
  validate,
} from "@parallax/service";
import type { Auction } from "../domain/auction.ts";
import { type Auctions, type NewAuction, OutcomeUnknown } from "../domain/ports.ts";
import { presentAuction } from "./present-auction.ts";
import { auctionRequestSchema } from "./schemas.ts";

export interface CreateAuctionParts {
  readonly auctions: Auctions;
  readonly metrics: Metrics;
  /** Sees to it that its end will be told. What is forgotten of that is found by a sweep. */
  readonly onCreated?: ((auction: Auction) => void) | undefined;
}

export function createAuction({ auctions, metrics, onCreated }: CreateAuctionParts) {
  const created = metrics.counter("bidding_auctions_created_total", "Auctions that were opened.");

  return async (ctx: Context): Promise<void> => {
    const request = validate(auctionRequestSchema, await jsonBody(ctx));
    const auction: NewAuction = {
      auctionId: randomUUIDv7(),
      item: request.item,
      startingPrice: request.starting_price,
      minIncrement: request.min_increment,
      endsAt: Date.parse(request.ends_at),
    };
    ctx.state.log = { auction_id: auction.auctionId };
    const creation = await auctions.create(auction).catch((error: unknown) => {
      if (!(error instanceof OutcomeUnknown)) throw error;
      throw new DependencyUnavailable(
        `Whether the auction was opened is not known; if it was, it is at /auctions/${auction.auctionId}.`,
        { cause: error, retryAfterSeconds: 1, extensions: { auction_id: auction.auctionId } },
      );
    });
    switch (creation.kind) {
      case "created": {
        onCreated?.(creation.auction);
        created.inc();
        ctx.status = 201;
        ctx.set("Location", `/auctions/${auction.auctionId}`);
        ctx.body = presentAuction({ ...creation.auction, seq: 0, highest: null, status: "open" });
        return;
      }
      case "past": {
        const detail = `must be in the future; it is ${new Date(creation.now).toISOString()} now`;
        throw new ValidationFailed(`ends_at: ${detail}`, {
          errors: [{ field: "ends_at", pointer: "#/ends_at", detail }],
        });
      }
      case "busy":
        throw archiveBehind(creation.unarchived);
    }
  };
}

export function archiveBehind(unarchived: number): Error {
  return new Overloaded(
    `The archive is ${unarchived} events behind; nothing more is accepted until it catches up.`,
    {
      retryAfterSeconds: 1,
    },
  );
}
