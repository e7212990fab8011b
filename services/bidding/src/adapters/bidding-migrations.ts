/**
 * The tables of bidding's archive, in the order in which they came to be.
 *
 * Events arrive in any order: an auction's bids, and even its end, may be there before it is. So bids refer to no auction, and an
 * auction of which only the end has arrived so far has nothing else yet.
 */

import type { Migration } from "@parallax/postgres";

export const BIDDING_SCHEMA = "bidding";

export const biddingMigrations: readonly Migration[] = [
  {
    name: "0001-auctions-and-bids",
    sql: `
      create table bidding.auctions (
        auction_id       uuid primary key,
        item             text,
        starting_price   bigint,
        min_increment    bigint,
        created_at       timestamptz,
        ends_at          timestamptz,
        -- All null until the end has arrived; the winner's stay so where nobody bid.
        ended_at         timestamptz,
        final_seq        bigint,
        winning_bid_id   uuid,
        winner_bidder_id text,
        winning_amount   bigint,
        check (item is not null or ended_at is not null)
      );
      -- Accepted bids. The keys are the guarantee that each is here once, however often it is delivered.
      create table bidding.bids (
        auction_id uuid not null,
        seq        bigint not null check (seq > 0),
        bid_id     uuid not null,
        bidder_id  text not null,
        amount     bigint not null check (amount > 0),
        placed_at  timestamptz not null,
        primary key (auction_id, seq),
        unique (auction_id, bid_id)
      );
      -- What contradicts the above: Redis lost what it had acknowledged, and gave a seq out again.
      create table bidding.conflicts (
        auction_id uuid not null,
        type       text not null check (type in ('bid', 'ended')),
        seq        bigint not null,
        bid_id     uuid,
        bidder_id  text,
        amount     bigint,
        at         timestamptz not null,
        found_at   timestamptz not null default now(),
        unique nulls not distinct (auction_id, type, seq, bid_id)
      );`,
  },
];
