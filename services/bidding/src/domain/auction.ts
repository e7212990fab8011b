/**
 * An auction and its bids. One item goes to the highest bidder at the time that is set for its end.
 *
 * - **amount**: a whole number of the smallest unit of a currency, from 1 to 2^53 - 1.
 * - **seq**: numbers the accepted bids of an auction 1, 2, 3 … in the order in which they took effect; 0 before the first. Each
 *   answer names one, which makes the order of all that happened checkable from outside.
 * - **least**: the lowest amount that would be accepted: the starting price, and after the first bid the highest amount plus
 *   the minimum increment.
 */

/** The largest amount: every integer up to it is exact in a double, which is what Lua and JavaScript calculate with. */
export const MOST_AMOUNT = Number.MAX_SAFE_INTEGER;

export interface Auction {
  /** UUIDv7, so that ids sort by the time of creation. */
  readonly auctionId: string;
  readonly item: string;
  readonly startingPrice: number;
  readonly minIncrement: number;
  /** Milliseconds since the epoch, by Redis's clock, as all times here. */
  readonly createdAt: number;
  readonly endsAt: number;
}

/** What bidding has come to. */
export interface Standing {
  readonly seq: number;
  /** The bid with that `seq`; null before the first one. */
  readonly highest: { readonly amount: number; readonly bidId: string; readonly bidderId: string } | null;
}

export interface AuctionState extends Auction, Standing {
  /** Ended once Redis's clock has reached `endsAt`, whether or not that has been announced. */
  readonly status: "open" | "ended";
}

export interface Bid {
  readonly auctionId: string;
  /** UUID. The same id again is the same bid: it has one effect and one answer. */
  readonly bidId: string;
  readonly bidderId: string;
  readonly amount: number;
}

/** What became of a bid. */
export type BidOutcome =
  | { readonly kind: "accepted"; readonly seq: number; readonly amount: number }
  /** Under `least` when `seq` bids had been accepted, the highest of them `highest` (null: none). */
  | {
      readonly kind: "refused";
      readonly seq: number;
      readonly highest: number | null;
      readonly least: number;
    }
  | { readonly kind: "ended"; readonly endsAt: number }
  | { readonly kind: "unknown" }
  /** Another bid, of another bidder or amount, has this id. */
  | { readonly kind: "other-bid" }
  /** More accepted bids wait for the archive than may. */
  | { readonly kind: "busy"; readonly unarchived: number };
