/** The timers of auctions' ends in memory, for tests. */

import type { EndTimers } from "../domain/ends.ts";

export class MemoryEndTimers implements EndTimers {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #onDue: ((auctionId: string) => Promise<number | undefined>) | undefined;

  async set(auctionId: string, inMs: number): Promise<void> {
    clearTimeout(this.#timers.get(auctionId));
    const timer = setTimeout(() => void this.#due(auctionId), Math.max(0, inMs));
    this.#timers.set(auctionId, timer);
  }

  start(onDue: (auctionId: string) => Promise<number | undefined>): void {
    this.#onDue = onDue;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #due(auctionId: string): Promise<void> {
    this.#timers.delete(auctionId);
    const leftMs = await this.#onDue?.(auctionId).catch(() => undefined);
    if (leftMs !== undefined) await this.set(auctionId, leftMs);
  }
}
