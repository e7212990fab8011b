/** The payment provider's ledger: in Postgres, and its in-memory twin. */

import { type Migration, reached } from "@parallax/postgres";
import { Cancelled } from "@parallax/service";
import type pg from "pg";
import type { Charge, Ledger, LedgerEntry } from "../domain/ports.ts";

/** A schema of its own: the provider is another company, it shares no table with those who judge by it. */
export const LEDGER_SCHEMA = "provider";

export const ledgerMigrations: readonly Migration[] = [
  {
    name: "0001-charges",
    sql: `
      create table provider.charges (
        seq          bigint generated always as identity primary key,
        charge_id    uuid not null unique,
        order_id     text not null unique,
        amount_minor bigint not null check (amount_minor >= 0),
        charged_at   timestamptz not null
      );`,
  },
  {
    name: "0002-gates",
    sql: `
      -- What a charge and its cancellation both pass, one after the other: the row's lock is the guarantee that an
      -- order whose payment was reported as dropped is not charged later.
      create table provider.gates (
        order_id       text primary key,
        closed_through integer not null
      );`,
  },
];

const COLUMNS = "seq, charge_id, order_id, amount_minor, charged_at";

// The update changes nothing: it waits for whoever holds the row, and returns what that one has made of it.
const RECORD = `
  with gate as (
    insert into provider.gates as g (order_id, closed_through) values ($2, 0)
    on conflict (order_id) do update set closed_through = g.closed_through
    returning closed_through
  )
  insert into provider.charges (charge_id, order_id, amount_minor, charged_at)
  select $1::uuid, $2::text, $3::bigint, $4::timestamptz from gate where closed_through < $5
  on conflict (order_id) do nothing
  returning ${COLUMNS}`;

const STANDING = `
  select c.*, coalesce(g.closed_through, 0) as closed_through
  from (values ($1::text)) as asked (order_id)
  left join provider.charges c using (order_id)
  left join provider.gates g using (order_id)`;

const CLOSE = `
  insert into provider.gates as g (order_id, closed_through) values ($1, $2)
  on conflict (order_id) do update set closed_through = greatest(g.closed_through, excluded.closed_through)`;

export function postgresLedger(pool: pg.Pool): Ledger {
  const query = (name: string, text: string, values: unknown[] = []) =>
    reached(() => pool.query<Row>({ name, text, values }));

  async function find(orderId: string): Promise<Charge | undefined> {
    const { rows } = await query(
      "find-charge",
      `select ${COLUMNS} from provider.charges where order_id = $1`,
      [orderId],
    );
    return rows[0] && withoutSeq(rows[0]);
  }

  return {
    find,
    async standing(orderId) {
      const { rows } = await query("standing-charge", STANDING, [orderId]);
      const [row] = rows as (Row & { closed_through: number })[];
      return { charge: row?.seq ? withoutSeq(row) : undefined, closedThrough: row?.closed_through ?? 0 };
    },
    async record(charge, attempt) {
      const { charge_id, order_id, amount_minor, charged_at } = charge;
      const values = [charge_id, order_id, amount_minor, charged_at, attempt];
      const { rows } = await query("record-charge", RECORD, values);
      const standing = rows[0] ? withoutSeq(rows[0]) : await find(order_id);
      if (!standing) throw closed(order_id);
      return standing;
    },
    async close(orderId, attempt) {
      await query("close-gate", CLOSE, [orderId, attempt]);
      // A statement of its own: this one sees what was committed while the other waited for the row.
      return await find(orderId);
    },
    async page(after, limit) {
      const text = `select ${COLUMNS} from provider.charges where seq > $1 order by seq limit $2`;
      const { rows } = await query("page-charges", text, [after, limit]);
      return rows.map(asEntry);
    },
    async totals() {
      const { rows } = await reached(() =>
        pool.query<{ charges: string; amount: string; last: string }>(
          "select count(*) as charges, coalesce(sum(amount_minor), 0) as amount, coalesce(max(seq), 0) as last from provider.charges",
        ),
      );
      const row = rows[0];
      return {
        charges: Number(row?.charges),
        amount_minor: Number(row?.amount),
        last_seq: Number(row?.last),
      };
    },
    async check() {
      await reached(() => pool.query("select 1"));
    },
  };
}

interface Row {
  seq: string;
  charge_id: string;
  order_id: string;
  amount_minor: string;
  charged_at: Date;
}

function asEntry(row: Row): LedgerEntry {
  return {
    seq: Number(row.seq),
    charge_id: row.charge_id,
    order_id: row.order_id,
    amount_minor: Number(row.amount_minor),
    charged_at: row.charged_at.toISOString(),
  };
}

function withoutSeq(row: Row): Charge {
  const { seq: _, ...charge } = asEntry(row);
  return charge;
}

function closed(orderId: string): Error {
  return new Cancelled(`The payment for ${orderId} was cancelled; nothing is charged.`);
}

export class MemoryLedger implements Ledger {
  readonly entries: LedgerEntry[] = [];
  readonly #closed = new Map<string, number>();

  async find(orderId: string): Promise<Charge | undefined> {
    return this.#standing(orderId);
  }

  async standing(orderId: string) {
    return { charge: this.#standing(orderId), closedThrough: this.#closed.get(orderId) ?? 0 };
  }

  async record(charge: Charge, attempt = 1): Promise<Charge> {
    // Looked up and recorded with no pause between, as one statement does in Postgres.
    const standing = this.#standing(charge.order_id);
    if (standing) return standing;
    if ((this.#closed.get(charge.order_id) ?? 0) >= attempt) throw closed(charge.order_id);
    this.entries.push({ ...charge, seq: this.entries.length + 1 });
    return charge;
  }

  async close(orderId: string, attempt: number): Promise<Charge | undefined> {
    this.#closed.set(orderId, Math.max(attempt, this.#closed.get(orderId) ?? 0));
    return this.#standing(orderId);
  }

  async page(after: number, limit: number): Promise<readonly LedgerEntry[]> {
    return this.entries.filter(({ seq }) => seq > after).slice(0, limit);
  }

  async totals() {
    const amount_minor = this.entries.reduce((sum, entry) => sum + entry.amount_minor, 0);
    return { charges: this.entries.length, amount_minor, last_seq: this.entries.length };
  }

  async check(): Promise<void> {}

  #standing(orderId: string): Charge | undefined {
    const entry = this.entries.find(({ order_id }) => order_id === orderId);
    if (!entry) return undefined;
    const { seq: _, ...charge } = entry;
    return charge;
  }
}
