/** The archive in Postgres, as the gateway reads it. */

import { reached } from "@parallax/postgres";
import type pg from "pg";
import type { Archive, ArchivedAuction, ArchivedBid } from "../domain/ports.ts";

// One of which only the end has arrived so far is not there yet.
// The winner is on record once the end is; before that, the highest bid is the last one that was archived.
const FIND = `
  select a.item, a.starting_price, a.min_increment, a.created_at, a.ends_at, a.ended_at, clock_timestamp() as now,
    coalesce(a.final_seq, b.seq, 0) as seq,
    coalesce(a.winning_amount, b.amount) as amount,
    coalesce(a.winning_bid_id, b.bid_id) as bid_id,
    coalesce(a.winner_bidder_id, b.bidder_id) as bidder_id
  from bidding.auctions a
  left join lateral (
    select * from bidding.bids where auction_id = a.auction_id and a.ended_at is null order by seq desc limit 1
  ) b on true
  where a.auction_id = $1 and a.item is not null`;

const BIDS = `
  select seq, bid_id, bidder_id, amount, placed_at from bidding.bids
  where auction_id = $1 and seq < $2 order by seq desc limit $3`;

const UNDEFINED_TABLE = "42P01";

export function postgresArchiveReader(pool: pg.Pool): Archive {
  async function rowsOf<R extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<readonly R[]> {
    try {
      return (await reached(() => pool.query<R>(query))).rows;
    } catch (error) {
      // The archiver makes the tables: where there are none yet, nothing is archived.
      if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return [];
      throw error;
    }
  }

  return {
    async findAuction(auctionId: string): Promise<ArchivedAuction | undefined> {
      const [row] = await rowsOf<AuctionRow>({
        name: "find-archived-auction",
        text: FIND,
        values: [auctionId],
      });
      return row && asAuction(auctionId, row);
    },

    async bidsBefore(auctionId: string, beforeSeq: number, limit: number): Promise<readonly ArchivedBid[]> {
      const rows = await rowsOf<BidRow>({
        name: "archived-bids",
        text: BIDS,
        values: [auctionId, beforeSeq, limit],
      });
      return rows.map((row) => ({
        seq: Number(row.seq),
        bidId: row.bid_id,
        bidderId: row.bidder_id,
        amount: Number(row.amount),
        at: row.placed_at.getTime(),
      }));
    },
  };
}

interface AuctionRow {
  item: string;
  starting_price: string;
  min_increment: string;
  created_at: Date;
  ends_at: Date;
  ended_at: Date | null;
  now: Date;
  seq: string;
  amount: string | null;
  bid_id: string | null;
  bidder_id: string | null;
}

interface BidRow {
  seq: string;
  bid_id: string;
  bidder_id: string;
  amount: string;
  placed_at: Date;
}

function asAuction(auctionId: string, row: AuctionRow): ArchivedAuction {
  const { amount, bid_id: bidId, bidder_id: bidderId } = row;
  return {
    auctionId,
    item: row.item,
    startingPrice: Number(row.starting_price),
    minIncrement: Number(row.min_increment),
    createdAt: row.created_at.getTime(),
    endsAt: row.ends_at.getTime(),
    status: row.ended_at || row.now >= row.ends_at ? "ended" : "open",
    endedAt: row.ended_at?.getTime() ?? null,
    seq: Number(row.seq),
    highest: amount && bidId && bidderId ? { amount: Number(amount), bidId, bidderId } : null,
  };
}
