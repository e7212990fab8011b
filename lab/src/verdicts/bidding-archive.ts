/** The bids of an auction that the archive has, as its pages tell them. */

import { Columns, Texts } from "./columns.ts";
import { Offenders } from "./offenders.ts";
import { UuidTable } from "./uuid-table.ts";

export interface ArchivedBid {
  readonly seq: number;
  readonly bid_id: string;
  readonly bidder_id: string;
  readonly amount: number;
}

export class ArchivedBids {
  /** Their rows. */
  readonly ids = new UuidTable();
  readonly #bidders = new Texts();
  readonly #rows = new Columns(["seq", "bidder", "amount"]);
  /** Ids that are there twice, or that are no UUID. */
  readonly repeated = new Offenders();

  static async read(pages: AsyncIterable<readonly ArchivedBid[]>): Promise<ArchivedBids> {
    const archive = new ArchivedBids();
    for await (const page of pages) for (const bid of page) archive.add(bid);
    return archive;
  }

  get size(): number {
    return this.#rows.rows;
  }

  add({ seq, bid_id, bidder_id, amount }: ArchivedBid): void {
    const rows = this.#rows.rows;
    if (this.ids.add(bid_id) !== rows) this.repeated.add(bid_id);
    else this.#rows.add({ seq, bidder: this.#bidders.numberOf(bidder_id), amount });
  }

  at(row: number): Omit<ArchivedBid, "bid_id"> {
    return {
      seq: this.#rows.get("seq", row),
      bidder_id: this.#bidders.at(this.#rows.get("bidder", row)),
      amount: this.#rows.get("amount", row),
    };
  }

  idOf(row: number): string {
    return this.ids.at(row);
  }
}
