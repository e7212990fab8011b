/** An auction as the API tells it. */

import type { AuctionState } from "../domain/auction.ts";
import { leastOf } from "../domain/decide-bid.ts";

export function presentAuction(auction: AuctionState) {
  const { highest } = auction;
  return {
    auction_id: auction.auctionId,
    item: auction.item,
    starting_price: auction.startingPrice,
    min_increment: auction.minIncrement,
    created_at: new Date(auction.createdAt).toISOString(),
    ends_at: new Date(auction.endsAt).toISOString(),
    status: auction.status,
    seq: auction.seq,
    highest: highest?.amount ?? null,
    bidder_id: highest?.bidderId ?? null,
    bid_id: highest?.bidId ?? null,
    least: leastOf(auction),
  };
}
