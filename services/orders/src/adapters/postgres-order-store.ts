/** Orders and their payments in Postgres. */

import { reached } from "@parallax/postgres";
import type pg from "pg";
import type { OrderState, SyncOrderStore } from "../domain/ports.ts";

export { ORDERS_SCHEMA, orderMigrations } from "./order-migrations.ts";

// Other contents: nothing is updated, so nothing is returned. An order that a queue has promised stays promised.
const BEGIN = `
  insert into orders.orders as o
    (order_id, customer_id, items, total_minor, fingerprint, status, accepted_at, keeper, settle_after)
  values ($1, $2, $3, $4, $5, 'processing', $6, $7, now() + make_interval(secs => $8))
  on conflict (order_id) do update set
    attempts = o.attempts + 1,
    status = case o.status when 'abandoned' then 'processing' else o.status end,
    (keeper, settle_after) = (
      select excluded.keeper, excluded.settle_after
      where o.status = 'abandoned' or (o.status = 'processing' and o.settle_after is not null)
    )
  where o.fingerprint = excluded.fingerprint
  returning status, attempts, settle_after is null as promised`;

// One statement, so one transaction and one round trip: both rows change or neither does.
const COMPLETE = `
  with paid as (
    insert into orders.payments (order_id, charge_id, amount_minor, charged_at)
    values ($1, $2, $3, $4)
    on conflict (order_id) do nothing
    returning order_id
  )
  update orders.orders set status = 'completed', completed_at = now(), keeper = null, settle_after = null
  where order_id in (select order_id from paid)`;

const FIND = `
  select o.order_id, o.customer_id, o.status, o.total_minor, o.attempts, o.accepted_at, o.completed_at, p.charge_id
  from orders.orders o left join orders.payments p using (order_id)
  where o.order_id = $1`;

const ABANDON = `
  update orders.orders set status = 'abandoned', keeper = null, settle_after = null
  where order_id = $1 and attempts = $2 and status = 'processing' and settle_after is not null`;

const SETTLE_IN = `
  update orders.orders set keeper = null, settle_after = now() + make_interval(secs => $3)
  where order_id = $1 and attempts = $2 and settle_after is not null`;

const UNSETTLED = `
  select order_id, total_minor, attempts from orders.orders o
  where settle_after is not null and (
    settle_after <= now()
    or keeper is not null
      and not exists (select from orders.receivers r where r.instance = o.keeper and r.alive_until > now())
  )
  order by settle_after limit $1`;

export function postgresOrderStore(pool: pg.Pool): SyncOrderStore {
  return {
    async begin(order, fingerprint, keeper) {
      const { order_id, customer_id, items, total_minor, accepted_at } = order;
      const begun = [order_id, customer_id, JSON.stringify(items), total_minor, fingerprint, accepted_at];
      const values = [...begun, keeper?.instance, keeper?.settleAfterSeconds];
      const { rows } = await reached(() => pool.query({ name: "begin-order", text: BEGIN, values }));
      const [row] = rows;
      if (!row) return { outcome: "conflict" };
      if (row.status === "completed") return { outcome: "completed" };
      return { outcome: "begun", attempt: row.attempts, promised: row.promised };
    },

    async abandon(orderId, attempt) {
      const values = [orderId, attempt];
      const { rowCount } = await reached(() => pool.query({ name: "abandon-order", text: ABANDON, values }));
      return rowCount === 1;
    },

    async settleIn(seconds, { order_id, attempt }) {
      const values = [order_id, attempt, seconds];
      await reached(() => pool.query({ name: "settle-order-in", text: SETTLE_IN, values }));
    },

    async unsettled(limit) {
      const { rows } = await reached(() =>
        pool.query<Row>({ name: "unsettled-orders", text: UNSETTLED, values: [limit] }),
      );
      return rows.map(({ order_id, total_minor, attempts }) => ({
        order_id,
        total_minor: Number(total_minor),
        attempt: attempts,
      }));
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
