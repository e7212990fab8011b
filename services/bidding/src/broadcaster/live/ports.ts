/**
 * What live prices need from elsewhere. Redis has the truth; the feed is only faster, and may lose, repeat or disorder what it tells.
 */

import type { AuctionState } from "../../domain/auction.ts";
import type { AuctionEvent } from "../../domain/events.ts";

export interface AuctionReader {
  /**
   * The auctions as they are now, in the order of `auctionIds`; null where there is none. Bounded in time.
   * @throws when they cannot be read
   */
  read(auctionIds: readonly string[]): Promise<Reading>;
  /** Rejects while they cannot be read. */
  check(): Promise<unknown>;
}

export interface Reading {
  /** When it was, in milliseconds since the epoch by the clock that decides when auctions end. */
  readonly at: number;
  readonly auctions: readonly (AuctionState | null)[];
}

export interface PriceFeed {
  /** Calls `onEvent` with what happens to the auction from now on, as far as the feed is connected. Returns how to stop that. */
  follow(auctionId: string, onEvent: (event: AuctionEvent) => void): () => void;
  readonly connected: boolean;
}
