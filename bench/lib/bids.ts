/** Accepted bids as events, for benchmarks. */

import { randomUUID } from "node:crypto";
import type { AuctionEvent } from "../../services/bidding/src/domain/events.ts";

export type BidEvent = Extract<AuctionEvent, { type: "bid" }>;

export function bids(count: number, auctionId: string): BidEvent[] {
  const at = Date.now();
  return Array.from({ length: count }, (_, place) => ({
    type: "bid",
    auction_id: auctionId,
    at: at + place,
    outbox_id: `${at + place}-0`,
    seq: place + 1,
    bid_id: randomUUID(),
    bidder_id: `bidder-${place % 1000}`,
    amount: 100 + place,
  }));
}
