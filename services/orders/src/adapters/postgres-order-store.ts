/** Orders and their payments in Postgres. */

import type pg from "pg";
import type { OrderState, OrderStore } from "../domain/ports.ts";
import { type Migration, reached } from "./database.ts";

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
];

const BEGIN = `
  insert into orders.orders as o (order_id, customer_id, items, total_minor, fingerprint, status, accepted_at)
  values ($1, $2, $3, $4, $5, 'processing', $6)
  on conflict (order_id) do update set attempts = o.attempts + 1
  returning status, fingerprint`;

// One statement, so one transaction and one round trip: both rows change or neither does.
const COMPLETE = `
  with paid as (
    insert into orders.payments (order_id, charge_id, amount_minor, charged_at)
    values ($1, $2, $3, $4)
    on conflict (order_id) do nothing
    returning order_id
  )
  update orders.orders set status = 'completed', completed_at = now()
  where order_id in (select order_id from paid)`;

const FIND = `
  select o.order_id, o.customer_id, o.status, o.total_minor, o.attempts, o.accepted_at, o.completed_at, p.charge_id
  from orders.orders o left join orders.payments p using (order_id)
  where o.order_id = $1`;

export function postgresOrderStore(pool: pg.Pool): OrderStore {
  return {
    async begin(order, fingerprint) {
      const { order_id, customer_id, items, total_minor, accepted_at } = order;
      const values = [order_id, customer_id, JSON.stringify(items), total_minor, fingerprint, accepted_at];
      const { rows } = await reached(() => pool.query({ name: "begin-order", text: BEGIN, values }));
      if (rows[0].fingerprint !== fingerprint) return "conflict";
      return rows[0].status === "completed" ? "completed" : "begun";
    },

    async complete({ order_id, charge_id, amount_minor, charged_at }) {
      const values = [order_id, charge_id, amount_minor, charged_at];
      const { rowCount } = await reached(() =>
        pool.query({ name: "complete-order", text: COMPLETE, values }),
      );
      return rowCount === 1 ? "completed" : "already";
    },

    async find(orderId) {
      const { rows } = await reached(() => pool.query({ name: "find-order", text: FIND, values: [orderId] }));
      return rows[0] && asState(rows[0]);
    },

    async check() {
      await reached(() => pool.query("select 1"));
    },
  };
}

interface Row {
  order_id: string;
  customer_id: string;
  status: OrderState["status"];
  total_minor: string;
  attempts: number;
  accepted_at: Date;
  completed_at: Date | null;
  charge_id: string | null;
}

function asState(row: Row): OrderState {
  return {
    order_id: row.order_id,
    customer_id: row.customer_id,
    status: row.status,
    total_minor: Number(row.total_minor),
    accepted_at: row.accepted_at.toISOString(),
    attempts: row.attempts,
    ...(row.completed_at && { completed_at: row.completed_at.toISOString() }),
    ...(row.charge_id && { charge_id: row.charge_id }),
  };
}
