/**
 * The archive in Postgres, as it is written: a batch is one transaction, with one insert for all its bids. Which bids are there
 * is decided by the unique keys alone: where one of a batch is there already, the batch is written anew without those that are.
 */

import { reached } from "@parallax/postgres";
import type pg from "pg";
import { type Archived, type ArchiveStore, DataRefused } from "../domain/archiving.ts";
import type { AuctionEvent } from "../domain/events.ts";

const BIDS = `unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[])
  with ordinality as sent (auction_id, seq, bid_id, bidder_id, amount, at, place)`;

// In an order, so that two who write at once do not wait for each other in a circle.
const INSERT_BIDS = `
  insert into bidding.bids (auction_id, seq, bid_id, bidder_id, amount, placed_at)
  select auction_id, seq, bid_id, bidder_id, amount, to_timestamp(at::float8 / 1000) from ${BIDS}
  order by auction_id, seq, place`;

const INSERT_NEW_BIDS = `${INSERT_BIDS} on conflict do nothing`;

// A bid that is there with the same contents under the same seq is the same bid.
const CONTRADICTED_BIDS = `
  insert into bidding.conflicts (auction_id, type, seq, bid_id, bidder_id, amount, at)
  select auction_id, 'bid', seq, bid_id, bidder_id, amount, to_timestamp(at::float8 / 1000) from ${BIDS}
  where not exists (
    select from bidding.bids b
    where b.auction_id = sent.auction_id and b.seq = sent.seq
      and b.bid_id = sent.bid_id and b.bidder_id = sent.bidder_id and b.amount = sent.amount
  )
  on conflict do nothing
  returning auction_id, seq, bid_id`;

// Its end may have come first.
const OPEN = `
  insert into bidding.auctions as a (auction_id, item, starting_price, min_increment, created_at, ends_at)
  select id, item, starting_price, min_increment, to_timestamp(at::float8 / 1000), to_timestamp(ends_at::float8 / 1000)
  from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    as sent (id, item, starting_price, min_increment, at, ends_at)
  on conflict (auction_id) do update set
    (item, starting_price, min_increment, created_at, ends_at) =
      (excluded.item, excluded.starting_price, excluded.min_increment, excluded.created_at, excluded.ends_at)
  where a.item is null`;

const ENDS = `unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[])
  as sent (id, seq, bid_id, bidder_id, amount, at)`;

const END = `
  insert into bidding.auctions as a
    (auction_id, ended_at, final_seq, winning_bid_id, winner_bidder_id, winning_amount)
  select id, to_timestamp(at::float8 / 1000), seq, bid_id, bidder_id, amount from ${ENDS}
  on conflict (auction_id) do update set
    (ended_at, final_seq, winning_bid_id, winner_bidder_id, winning_amount) =
      (excluded.ended_at, excluded.final_seq, excluded.winning_bid_id, excluded.winner_bidder_id, excluded.winning_amount)
  where a.ended_at is null`;

const CONTRADICTED_ENDS = `
  insert into bidding.conflicts (auction_id, type, seq, bid_id, bidder_id, amount, at)
  select id, 'ended', seq, bid_id, bidder_id, amount, to_timestamp(at::float8 / 1000) from ${ENDS}
  join bidding.auctions a on a.auction_id = id
  where (a.final_seq, a.winning_bid_id, a.winner_bidder_id, a.winning_amount)
    is distinct from (sent.seq, sent.bid_id, sent.bidder_id, sent.amount)
  on conflict do nothing
  returning auction_id, seq, bid_id`;

export function postgresArchiveStore(pool: pg.Pool): ArchiveStore {
  async function attempt(events: readonly AuctionEvent[], insertBids: InsertBids): Promise<Archived> {
    return await inTransaction(pool, async (client) => {
      // Always in this order, for the same reason.
      const counts = [
        await writeOpened(client, events),
        await writeEnded(client, events),
        await writeBids(client, events, insertBids),
      ];
      const inserted = counts.reduce((sum, count) => sum + count.inserted, 0);
      const conflicts = counts.flatMap((count) => count.conflicts);
      return { inserted, conflicts, duplicates: events.length - inserted - conflicts.length };
    });
  }

  return {
    async write(events) {
      try {
        // Nearly always none of the bids is there yet. To look for each beforehand, as the other insert does, would be
        // in vain and takes Postgres almost as long again as writing them.
        return await attempt(events, { name: "insert-bids", text: INSERT_BIDS });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      return await attempt(events, { name: "insert-new-bids", text: INSERT_NEW_BIDS });
    },

    async check() {
      await reached(() => pool.query("select 1"));
    },
  };
}

interface InsertBids {
  readonly name: string;
  readonly text: string;
}

type Count = Pick<Archived, "inserted" | "conflicts">;
const NOTHING: Count = { inserted: 0, conflicts: [] };

async function writeBids(
  client: pg.PoolClient,
  events: readonly AuctionEvent[],
  insert: InsertBids,
): Promise<Count> {
  const bids = events.filter((event) => event.type === "bid");
  if (bids.length === 0) return NOTHING;
  const values = columns(bids, ["auction_id", "seq", "bid_id", "bidder_id", "amount", "at"]);
  const { rowCount } = await client.query({ ...insert, values });
  const inserted = rowCount ?? 0;
  if (inserted === bids.length) return { inserted, conflicts: [] };
  const { rows } = await client.query<Place>(CONTRADICTED_BIDS, values);
  return { inserted, conflicts: at(rows, bids) };
}

async function writeOpened(client: pg.PoolClient, events: readonly AuctionEvent[]): Promise<Count> {
  const opened = oncePerAuction(events.filter((event) => event.type === "opened"));
  if (opened.length === 0) return NOTHING;
  const values = columns(opened, ["auction_id", "item", "starting_price", "min_increment", "at", "ends_at"]);
  const { rowCount } = await client.query({ name: "open-auctions", text: OPEN, values });
  return { inserted: rowCount ?? 0, conflicts: [] };
}

async function writeEnded(client: pg.PoolClient, events: readonly AuctionEvent[]): Promise<Count> {
  const ended = events.filter((event) => event.type === "ended");
  if (ended.length === 0) return NOTHING;
  const valuesOf = (some: typeof ended) =>
    columns(some, ["auction_id", "seq", "bid_id", "bidder_id", "amount", "at"]);
  const once = valuesOf(oncePerAuction(ended));
  const { rowCount } = await client.query({ name: "end-auctions", text: END, values: once });
  const inserted = rowCount ?? 0;
  if (inserted === ended.length) return { inserted, conflicts: [] };
  const { rows } = await client.query<Place>(CONTRADICTED_ENDS, valuesOf(ended));
  return { inserted, conflicts: at(rows, ended) };
}

interface Place {
  readonly auction_id: string;
  /** A bigint comes as text. */
  readonly seq: string | number;
  readonly bid_id: string | null;
}

/** The first event at each of these places. */
function at<E extends AuctionEvent & Place>(places: readonly Place[], events: readonly E[]): E[] {
  const keyOf = ({ auction_id, seq, bid_id }: Place) => `${auction_id}:${seq}:${bid_id}`;
  const left = new Set(places.map(keyOf));
  return events.filter((event) => left.delete(keyOf(event)));
}

/** One statement may not change a row twice. */
function oncePerAuction<E extends AuctionEvent>(events: readonly E[]): E[] {
  const byId = new Map(events.toReversed().map((event) => [event.auction_id, event]));
  return [...byId.values()].sort((a, b) => (a.auction_id < b.auction_id ? -1 : 1));
}

/** Each as one array of Postgres, written by hand: the driver's own way takes three times as long, longer than all else here. */
function columns<E extends AuctionEvent>(events: readonly E[], names: readonly (keyof E)[]): string[] {
  return names.map((name) => `{${events.map((event) => literal(event[name])).join(",")}}`);
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function literal(value: unknown): string {
  if (value === null) return "NULL";
  return typeof value === "string" ? `"${value.replaceAll(/["\\]/g, "\\$&")}"` : String(value);
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await reached(() => pool.connect());
  try {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    client.release();
    return result;
  } catch (cause) {
    const error = await asOurs(cause);
    // Postgres has answered, and can go on. Else the connection goes, and what it had begun with it.
    const kept = error instanceof DataRefused && (await client.query("rollback").catch(() => undefined));
    client.release(!kept);
    throw error;
  }
}

// Class 22: what a value may be; 23: what a table may hold. https://www.postgresql.org/docs/current/errcodes-appendix.html
const WRONG_DATA = /^2[23]/;
const UNIQUE_VIOLATION = "23505";

/** The transaction met a bid that is there. */
function isDuplicate(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return error instanceof DataRefused && cause?.code === UNIQUE_VIOLATION;
}

async function asOurs(cause: unknown): Promise<unknown> {
  const { code, message } = cause as { code?: unknown; message?: string };
  if (typeof code === "string" && WRONG_DATA.test(code)) {
    return new DataRefused(`Postgres refuses it: ${message}`, { cause });
  }
  return await reached(() => Promise.reject(cause)).catch((error: unknown) => error);
}
