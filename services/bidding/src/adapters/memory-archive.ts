/** The in-memory twin of the archive, for tests. */

import { DependencyUnavailable } from "@parallax/service";
import type { Archive, ArchivedAuction, ArchivedBid } from "../domain/ports.ts";

export class MemoryArchive implements Archive {
  readonly auctions = new Map<string, ArchivedAuction>();
  /** By auction, in any order. */
  readonly bids = new Map<string, ArchivedBid[]>();
  /** While true, every call fails as it does when the database is out. */
  out = false;

  async findAuction(auctionId: string): Promise<ArchivedAuction | undefined> {
    this.#requireUp();
    return this.auctions.get(auctionId);
  }

  async bidsBefore(auctionId: string, beforeSeq: number, limit: number): Promise<readonly ArchivedBid[]> {
    this.#requireUp();
    return (this.bids.get(auctionId) ?? [])
      .filter(({ seq }) => seq < beforeSeq)
      .sort((a, b) => b.seq - a.seq)
      .slice(0, limit);
  }

  #requireUp(): void {
    if (this.out) throw new DependencyUnavailable("The in-memory archive is out");
  }
}
