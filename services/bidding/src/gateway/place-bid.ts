/** `POST /auctions/{id}/bids`: a bid, accepted or refused. */

import { randomUUID } from "node:crypto";
import {
  AuctionEnded,
  answerJson,
  answerRefusal,
  BidTooLow,
  type Context,
  DependencyUnavailable,
  jsonBody,
  type Metrics,
  NotFound,
  ValidationFailed,
  validate,
} from "@parallax/service";
import type { Bid, BidOutcome } from "../domain/auction.ts";
import { type Archive, type Auctions, OutcomeUnknown } from "../domain/ports.ts";
import { archiveBehind } from "./create-auction.ts";
import { bidRequestSchema, idSchema } from "./schemas.ts";

export interface PlaceBidParts {
  readonly auctions: Auctions;
  readonly archive: Archive;
  readonly metrics: Metrics;
}

export function placeBid({ auctions, archive, metrics }: PlaceBidParts) {
  const bids = metrics.counter("bidding_bids_total", "Bids, by what became of them.", ["outcome"]);

  return async (ctx: Context): Promise<void> => {
    const request = validate(bidRequestSchema, await jsonBody(ctx));
    const id = idSchema.safeParse(ctx.params.id);
    if (!id.success) throw noAuction();
    const bid: Bid = {
      auctionId: id.data,
      bidId: request.bid_id ?? randomUUID(),
      bidderId: request.bidder_id,
      amount: request.amount,
    };
    const outcome = await placed(bid, request.bid_id !== undefined);
    bids.inc({ outcome: outcome.kind });
    ctx.state.log = { auction_id: bid.auctionId, bid_id: bid.bidId, outcome: outcome.kind };
    answer(ctx, bid, outcome);
  };

  async function placed(bid: Bid, keep: boolean): Promise<BidOutcome> {
    let outcome: BidOutcome;
    try {
      outcome = await auctions.bid(bid, keep);
    } catch (error) {
      bids.inc({ outcome: error instanceof OutcomeUnknown ? "not_known" : "failed" });
      throw withBidId(error, bid);
    }
    if (outcome.kind !== "unknown") return outcome;
    // It may have been over for so long that only the archive has it.
    const archived = await archive.findAuction(bid.auctionId);
    return archived && archived.endedAt !== null ? { kind: "ended", endsAt: archived.endsAt } : outcome;
  }
}

function answer(ctx: Context, bid: Bid, outcome: BidOutcome): void {
  switch (outcome.kind) {
    case "accepted":
      answerJson(ctx, 201, { bid_id: bid.bidId, seq: outcome.seq, amount: outcome.amount });
      return;
    case "refused": {
      const { seq, highest, least } = outcome;
      const detail = `${bid.amount} is under ${least}, the least that would be accepted.`;
      answerRefusal(ctx, BidTooLow, detail, { bid_id: bid.bidId, seq, highest, least });
      return;
    }
    case "ended":
      throw new AuctionEnded(`This auction ended at ${new Date(outcome.endsAt).toISOString()}.`, {
        extensions: { bid_id: bid.bidId },
      });
    case "unknown":
      throw noAuction();
    case "other-bid":
      throw new ValidationFailed("bid_id: belongs to a bid of another bidder or amount", {
        errors: [
          {
            field: "bid_id",
            pointer: "#/bid_id",
            detail: "belongs to a bid of another bidder or amount",
          },
        ],
      });
    case "busy":
      throw archiveBehind(outcome.unarchived);
  }
}

/** Whoever sends it again must be able to say which one it is, and whoever does not must know whether it may have been accepted. */
function withBidId(error: unknown, { bidId }: Bid): unknown {
  const extensions = { bid_id: bidId };
  if (error instanceof OutcomeUnknown) {
    return new DependencyUnavailable(
      `Whether the bid was accepted is not known. Send it again with the bid_id ${bidId} to learn it.`,
      { cause: error, retryAfterSeconds: 1, extensions: { ...extensions, outcome: "unknown" } },
    );
  }
  if (error instanceof DependencyUnavailable) {
    return new DependencyUnavailable(error.message, { ...error.details, extensions });
  }
  return error;
}

export function noAuction(): Error {
  return new NotFound("There is no auction with this id.");
}
