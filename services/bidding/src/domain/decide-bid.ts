/**
 * The rules of bidding, as a pure function: what is known of the auction, of the bid and of the time goes in, what becomes
 * of the bid comes out. The script adapters/bid.lua holds the same rules; a property test compares the two.
 */

import type { Auction, Bid, BidOutcome, Standing } from "./auction.ts";

/**
 * Answers that are kept of one auction, unless told otherwise; beyond, only those of accepted bids are. Anybody can have any number of
 * bids refused, and each kept answer takes some of Redis's memory until long after the end; accepted ones have to rise.
 *
 * A refused bid whose answer is not kept had no effect, so that the same one, sent again, can only find the same or a later refusal: what
 * it must reach only rises, and after the end all are refused. Nobody notices then that an id belongs to another, refused bid.
 */
export const MOST_ANSWERS = 1_000_000;

/** What a bid was answered, and which bid that was. */
export interface KnownAnswer {
  readonly bidderId: string;
  readonly amount: number;
  readonly outcome: BidOutcome;
}

export interface BidCircumstances {
  /** Undefined where there is none. */
  readonly auction: (Auction & Standing & { readonly endedAt: number | null }) | undefined;
  /** What a bid with this id was answered before. */
  readonly known: KnownAnswer | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Events that the archive does not have yet, and how many of them there may be. */
  readonly unarchived: number;
  readonly mostUnarchived: number;
  /** Answers that are kept of this auction, and how many there may be before refusals are no longer kept. */
  readonly answers: number;
  readonly mostAnswers: number;
}

export interface BidDecision {
  readonly outcome: BidOutcome;
  /** Whether the same bid, sent again, must be answered by what is kept of this answer. */
  readonly remember: boolean;
}

/** @param keep see `Auctions.bid` */
export function decideBid(bid: Bid, keep: boolean, circumstances: BidCircumstances): BidDecision {
  const { auction, known, now, unarchived, mostUnarchived, answers, mostAnswers } = circumstances;
  if (!auction) return forget({ kind: "unknown" });
  if (keep && known) {
    const same = known.bidderId === bid.bidderId && known.amount === bid.amount;
    return forget(same ? known.outcome : { kind: "other-bid" });
  }
  const { seq, highest, endsAt, endedAt } = auction;
  const keepRefusal = keep && answers < mostAnswers;
  // Once its end has been told it stays ended, whatever becomes of the clock: nothing need be kept from then on.
  if (endedAt !== null) return forget({ kind: "ended", endsAt });
  if (now >= endsAt) return { outcome: { kind: "ended", endsAt }, remember: keepRefusal };
  const least = leastOf(auction);
  if (bid.amount < least) {
    const outcome = { kind: "refused", seq, highest: highest?.amount ?? null, least } as const;
    return { outcome, remember: keepRefusal };
  }
  if (unarchived >= mostUnarchived) return forget({ kind: "busy", unarchived });
  return { outcome: { kind: "accepted", seq: seq + 1, amount: bid.amount }, remember: true };
}

/** The lowest amount that would be accepted. Beyond `MOST_AMOUNT` it may be off by one or two, which no bid can be. */
export function leastOf(auction: Auction & Standing): number {
  return auction.highest ? auction.highest.amount + auction.minIncrement : auction.startingPrice;
}

function forget(outcome: BidOutcome): BidDecision {
  return { outcome, remember: false };
}
