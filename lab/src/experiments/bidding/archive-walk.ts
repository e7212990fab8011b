/**
 * Whether the archive has every bid of an auction, and not its newest alone: what an archiver had in hand when it was killed is delivered
 * again seconds later, when newer bids have long been archived. Nothing is ever taken out of the archive, so what has been seen
 * without a gap is not asked for again: however often it is asked, an archive is read once.
 */

import type { BiddingApi } from "./bidding-api.ts";

export class ArchiveWalk {
  readonly #api: Pick<BiddingApi, "archivePage">;
  readonly #auctionId: string;
  /** Of the auction, when the walk began. */
  #seq: number | undefined;
  /** The number that has to come next, from the newest down; 0 at the end. */
  #next = 0;
  #cursor: string | undefined;

  constructor(api: Pick<BiddingApi, "archivePage">, auctionId: string) {
    this.#api = api;
    this.#auctionId = auctionId;
  }

  /**
   * @param seq number of the newest bid; 0: none
   * @throws LabError COMMAND_FAILED when the archive cannot be asked
   */
  async hasAll(seq: number): Promise<boolean> {
    if (seq !== this.#seq) {
      this.#seq = seq;
      this.#next = seq;
      this.#cursor = undefined;
    }
    while (this.#next > 0) {
      const { bids, next_cursor } = await this.#api.archivePage(this.#auctionId, { cursor: this.#cursor });
      const first = this.#next;
      if (bids.some((bid, at) => bid.seq !== first - at)) return false;
      const next = first - bids.length;
      // A page that lacks bids is asked for again.
      if (next > 0 && next_cursor === null) return false;
      this.#next = next;
      this.#cursor = next_cursor ?? undefined;
    }
    return true;
  }
}
