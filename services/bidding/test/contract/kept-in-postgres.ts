/** What Postgres has of an auction, asked of the tables themselves. */

import type pg from "pg";
import type { Keeper } from "./archive-store-contract.ts";

export function keptInPostgres(pool: pg.Pool): Keeper {
  return async (id) => {
    const auctions = await pool.query("select * from bidding.auctions where auction_id = $1", [id]);
    const bids = await pool.query("select * from bidding.bids where auction_id = $1 order by seq", [id]);
    const conflicts = await pool.query("select type, seq from bidding.conflicts where auction_id = $1", [id]);
    const [row] = auctions.rows;
    return {
      opened: row?.item ? { item: row.item, ends_at: row.ends_at.getTime() } : undefined,
      ended: row?.ended_at
        ? { seq: Number(row.final_seq), bid_id: row.winning_bid_id, at: row.ended_at.getTime() }
        : undefined,
      bids: bids.rows.map(({ seq, bid_id, bidder_id, amount, placed_at }) => ({
        seq: Number(seq),
        bid_id,
        bidder_id,
        amount: Number(amount),
        at: placed_at.getTime(),
      })),
      conflicts: conflicts.rows.map(({ type, seq }) => ({ type, seq: Number(seq) })),
    };
  };
}
