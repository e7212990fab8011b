/**
 * Writing bids into the archive: a thousand in one insert over unnest, as the archiver does, beside a thousand inserts of one bid, and
 * beside COPY, which is the fastest that Postgres has. Each is committed durably, with the settings that the lab's Postgres has, into a
 * table like that of the archive, with both of its unique keys.
 * Goals: at least 40 times as many bids a second as one by one, and at least 0.6 times as many as COPY.
 */

import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { migrate, openPool } from "@parallax/postgres";
import { silentLogger } from "@parallax/testkit";
import type { PoolClient } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { BIDDING_SCHEMA, biddingMigrations } from "../services/bidding/src/adapters/bidding-migrations.ts";
import { postgresArchiveStore } from "../services/bidding/src/adapters/postgres-archive-store.ts";
import { postgresServer } from "../test/lib/postgres-server.ts";
import { type BidEvent, bids } from "./lib/bids.ts";
import { interleave, median, spread } from "./lib/ratio.ts";

const ROUNDS = 7;
const BATCH = 1000;
const BATCHES = 40;
const SINGLES = 1000;
const GOALS = { singles: 40, copy: 0.6 };

await using postgres = await postgresServer();
const pool = openPool({ url: postgres.url, poolSize: 1, applicationName: "bench" }, silentLogger());
await migrate(pool, BIDDING_SCHEMA, biddingMigrations);
const store = postgresArchiveStore(pool);

const INSERT = `insert into bidding.bids (auction_id, seq, bid_id, bidder_id, amount, placed_at)
  values ($1, $2, $3, $4, $5, $6) on conflict do nothing`;
const COPY = "copy bidding.bids (auction_id, seq, bid_id, bidder_id, amount, placed_at) from stdin";

/** Bids a second. The table is empty before, and its pages are written before the time begins. */
async function rate(count: number, write: (events: readonly BidEvent[]) => Promise<void>): Promise<number> {
  await pool.query("truncate bidding.bids");
  await pool.query("checkpoint");
  const events = bids(count, randomUUID());
  const began = performance.now();
  await write(events);
  const seconds = (performance.now() - began) / 1000;
  const { rows } = await pool.query("select count(*)::int as n from bidding.bids");
  if (rows[0].n !== count) throw new Error(`${rows[0].n} of ${count} bids are there`);
  return count / seconds;
}

const unnest = () =>
  rate(BATCH * BATCHES, async (events) => {
    for (let at = 0; at < events.length; at += BATCH) await store.write(events.slice(at, at + BATCH));
  });

const singles = () =>
  rate(SINGLES, async (events) => {
    for (const { auction_id, seq, bid_id, bidder_id, amount, at } of events) {
      const values = [auction_id, seq, bid_id, bidder_id, amount, new Date(at)];
      await pool.query({ name: "insert-bid", text: INSERT, values });
    }
  });

const copy = () =>
  rate(BATCH * BATCHES, async (events) => {
    const client = await pool.connect();
    for (let at = 0; at < events.length; at += BATCH) await copyBatch(client, events.slice(at, at + BATCH));
    client.release();
  });

async function copyBatch(client: PoolClient, events: readonly BidEvent[]): Promise<void> {
  const lines = events.map(
    ({ auction_id, seq, bid_id, bidder_id, amount, at }) =>
      `${auction_id}\t${seq}\t${bid_id}\t${bidder_id}\t${amount}\t${new Date(at).toISOString()}\n`,
  );
  await pipeline(Readable.from([lines.join("")]), client.query(copyFrom(COPY)));
}

for (const warm of [unnest, singles, copy]) await warm();
const { rows } = await pool.query(
  "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name",
);
const settings = rows.map(({ name, setting }) => `${name}=${setting}`).join(", ");
console.log(`Postgres ${postgres.version}, ${settings}`);
const one = await interleave(ROUNDS, unnest, singles);
console.log(`unnest(${BATCH}): ${spread(one.a, 0)} bids/s`);
console.log(`one by one:   ${spread(one.b, 0)} bids/s`);
console.log(`ratio:        ${spread(one.ratios)} (goal: at least ${GOALS.singles})`);
const bulk = await interleave(ROUNDS, unnest, copy);
console.log(`unnest(${BATCH}): ${spread(bulk.a, 0)} bids/s`);
console.log(`COPY(${BATCH}):   ${spread(bulk.b, 0)} bids/s`);
console.log(
  `ratio:        ${spread(bulk.ratios)} (goal: at least ${GOALS.copy}; ${ROUNDS} interleaved pairs each)`,
);
await pool.end();
process.exitCode = median(one.ratios) >= GOALS.singles && median(bulk.ratios) >= GOALS.copy ? 0 : 1;
