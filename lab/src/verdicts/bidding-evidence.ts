/**
 * What a verdict on bidding is passed on. Memory is some hundred bytes a bid, however often it was sent and whoever tells of it: a
 * run has half a million of them.
 */

import type { ArchivedBids } from "./bidding-archive.ts";
import type { SentBids } from "./bidding-sent.ts";

/** An auction, as Redis has it when all is quiet. */
export interface FinalAuction {
  readonly starting_price: number;
  readonly min_increment: number;
  /** ISO 8601. */
  readonly ends_at: string;
  readonly status: "open" | "ended";
  readonly seq: number;
  readonly highest: number | null;
  readonly bidder_id: string | null;
  readonly bid_id: string | null;
}

/** What a live subscriber has seen. */
export interface WatcherReport {
  readonly name: string;
  /** Whether it was connected when it was asked. */
  readonly connected: boolean;
  readonly messages: number;
  /** Those of another form than is documented. */
  readonly unreadable: number;
  /** Of the last message; undefined before the first. */
  readonly seq: number | undefined;
  readonly highest: number | null | undefined;
  /** Messages with a lower `seq` than the one before. */
  readonly wentBack: number;
  /** It was told that the auction has ended. */
  readonly ended: boolean;
}

/** What live subscribers saw, all together. */
export interface SeenLive {
  readonly watchers: readonly WatcherReport[];
  /** Highest amount by number, as it was told first; null at number 0. */
  readonly prices: ReadonlyMap<number, number | null>;
  /** The same: whose bid that was. */
  readonly bidders: ReadonlyMap<number, string | null>;
  /** Numbers for which two different amounts or bidders were told. */
  readonly disputed: ReadonlySet<number>;
}

export interface BiddingEvidence {
  /** Every bid that clients sent to the auction, and what they were told. */
  readonly sent: SentBids;
  /** Lines of the load generator's output that could be read, whatever they are about. */
  readonly lines: number;
  /** Lines that could not: evidence that is missing. */
  readonly unreadable: number;
  /** Requests that the load generator says it made; undefined where it does not say. */
  readonly requests?: number | undefined;
  readonly auction: FinalAuction;
  readonly archive: ArchivedBids;
  /** Whether nothing was on its way to the archive and to the subscribers any more. */
  readonly drained: boolean;
  readonly live: SeenLive;
}
