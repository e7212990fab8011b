/** The in-memory twins of what live prices read and hear, for tests and benchmarks. */

import { DependencyUnavailable } from "@parallax/service";
import type { AuctionReader, PriceFeed, Reading } from "../broadcaster/live/ports.ts";
import type { AuctionState } from "../domain/auction.ts";
import type { AuctionEvent } from "../domain/events.ts";

export class MemoryAuctionReader implements AuctionReader {
  readonly #auctions = new Map<string, AuctionState>();
  /** Each reading waits for this; what it tells is of the time when it began. */
  held: Promise<unknown> = Promise.resolve();
  /** While it is, nothing can be read. */
  out = false;
  readings = 0;

  set(state: AuctionState): void {
    this.#auctions.set(state.auctionId, state);
  }

  forget(auctionId: string): void {
    this.#auctions.delete(auctionId);
  }

  async read(auctionIds: readonly string[]): Promise<Reading> {
    this.readings += 1;
    const auctions = auctionIds.map((id) => this.#auctions.get(id) ?? null);
    await this.held;
    await this.check();
    return { at: Date.now(), auctions };
  }

  async check(): Promise<void> {
    if (this.out) throw new DependencyUnavailable("The in-memory auctions are out");
  }
}

export class MemoryPriceFeed implements PriceFeed {
  readonly #followers = new Map<string, Set<(event: AuctionEvent) => void>>();
  /** While it is not, nothing is told. */
  connected = true;

  follow(auctionId: string, onEvent: (event: AuctionEvent) => void): () => void {
    const followers = this.#followers.get(auctionId) ?? new Set();
    this.#followers.set(auctionId, followers.add(onEvent));
    return () => {
      followers.delete(onEvent);
      if (followers.size === 0) this.#followers.delete(auctionId);
    };
  }

  tell(event: AuctionEvent): void {
    if (!this.connected) return;
    for (const onEvent of this.#followers.get(event.auction_id) ?? []) onEvent(event);
  }

  get followed(): readonly string[] {
    return [...this.#followers.keys()];
  }
}
