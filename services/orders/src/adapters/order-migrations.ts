/** The tables of orders, in the order in which they came to be. */

import type { Migration } from "@parallax/postgres";

export const ORDERS_SCHEMA = "orders";

export const orderMigrations: readonly Migration[] = [
  {
    name: "0001-orders-and-payments",
    sql: `
      create table orders.orders (
        order_id     text primary key,
        customer_id  text not null,
        items        jsonb not null,
        total_minor  bigint not null check (total_minor >= 0),
        fingerprint  text not null,
        status       text not null check (status in ('processing', 'completed')),
        attempts     integer not null default 1,
        accepted_at  timestamptz not null,
        started_at   timestamptz not null default now(),
        completed_at timestamptz,
        check ((status = 'completed') = (completed_at is not null))
      );
      -- One payment row per order id: the primary key is the guarantee, whatever runs beside whatever.
      create table orders.payments (
        order_id     text primary key references orders.orders (order_id),
        charge_id    uuid not null unique,
        amount_minor bigint not null,
        charged_at   timestamptz not null,
        recorded_at  timestamptz not null default now()
      );`,
  },
  {
    name: "0002-synchronous-orders",
    sql: `
      alter table orders.orders
        drop constraint orders_status_check,
        add constraint orders_status_check check (status in ('processing', 'completed', 'abandoned')),
        -- Both null where a queue sees the order through: then nobody else has to.
        add column keeper uuid,
        add column settle_after timestamptz;
      create index orders_unsettled on orders.orders (settle_after) where settle_after is not null;
      -- Receivers, and until when each is held to be alive.
      create table orders.receivers (
        instance    uuid primary key,
        alive_until timestamptz not null
      );`,
  },
  {
    name: "0003-idempotency-keys",
    sql: `
      create table orders.idempotency_keys (
        key          text primary key,
        fingerprint  text not null,
        order_id     text not null,
        attempts     integer not null default 1,
        -- Both null while nobody runs the request.
        keeper       uuid,
        locked_until timestamptz,
        -- All null until there is an answer that stays.
        status       smallint,
        content_type text,
        location     text,
        body         text,
        expires_at   timestamptz not null
      );
      create index idempotency_keys_expired on orders.idempotency_keys (expires_at);`,
  },
];
