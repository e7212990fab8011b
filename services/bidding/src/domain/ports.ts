/**
 * What bidding needs of the world. Each has an adapter over a real server and an in-memory twin, which keep the same contract
 * (test/contract).
 */

import type { Auction, AuctionState, Bid, BidOutcome } from "./auction.ts";

export interface NewAuction {
  readonly auctionId: string;
  readonly item: string;
  readonly startingPrice: number;
  readonly minIncrement: number;
  readonly endsAt: number;
}

export type Creation =
  | { readonly kind: "created"; readonly auction: Auction }
  /** Its end is not in the future by Redis's clock, which says `now`. */
  | { readonly kind: "past"; readonly now: number }
  | { readonly kind: "busy"; readonly unarchived: number };

/** What came of telling that an auction is over. */
export type Closing =
  /** Told now, for the first and only time. */
  | { readonly kind: "announced"; readonly at: number }
  /** It was told before. */
  | { readonly kind: "already" }
  /** It has so many milliseconds left by Redis's clock. */
  | { readonly kind: "early"; readonly leftMs: number }
  | { readonly kind: "unknown" };

export interface AuctionPage {
  /** Newest first. It may hold fewer than asked for although there are more: some had gone when they were looked at. */
  readonly auctions: readonly AuctionState[];
  /** What to go on before; undefined where there is no more. */
  readonly next: string | undefined;
}

/**
 * Auctions while they can be bid on, and for a while after. Each call takes effect as a whole or not at all.
 *
 * Every call may throw DependencyUnavailable, which means that it had no effect; `bid`, `create` and `close` may also throw
 * OutcomeUnknown.
 */
export interface Auctions {
  create(auction: NewAuction): Promise<Creation>;
  /**
   * @param keep whether its answer is kept whatever it is, for a bid that may be sent again; otherwise only an acceptance is. Once
   * an auction has so many answers as are allowed, refusals are not kept either (see `MOST_ANSWERS`).
   */
  bid(bid: Bid, keep: boolean): Promise<BidOutcome>;
  /** Undefined for one that never was, and for one that is gone some time after its end. */
  find(auctionId: string): Promise<AuctionState | undefined>;
  /** @param before the id before which to begin; the newest one without it */
  page(limit: number, before?: string): Promise<AuctionPage>;
  /** Tells once that the auction is over, with its winner, unless it is too early. */
  close(auctionId: string): Promise<Closing>;
  /** Auctions that are over by Redis's clock and were not told to be, the first to end first. */
  due(limit: number): Promise<readonly string[]>;
  check(): Promise<void>;
}

/** The call may have taken effect, may not have, and may still do so. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
  readonly code = "OUTCOME_UNKNOWN";
}

export interface ArchivedAuction extends AuctionState {
  /** When its end was told; null where that is not in the archive. */
  readonly endedAt: number | null;
}

export interface ArchivedBid {
  readonly seq: number;
  readonly bidId: string;
  readonly bidderId: string;
  readonly amount: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The archive as it is read. It lags behind what has been accepted. @throws DependencyUnavailable */
export interface Archive {
  findAuction(auctionId: string): Promise<ArchivedAuction | undefined>;
  /** Newest first, those with a `seq` under `beforeSeq`. */
  bidsBefore(auctionId: string, beforeSeq: number, limit: number): Promise<readonly ArchivedBid[]>;
}
