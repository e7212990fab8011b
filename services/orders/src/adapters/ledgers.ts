/** The payment provider's ledger: in Postgres, and its in-memory twin. */

import type pg from "pg";
import type { Charge, Ledger, LedgerEntry } from "../domain/ports.ts";
import { type Migration, reached } from "./database.ts";

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
];

const COLUMNS = "seq, charge_id, order_id, amount_minor, charged_at";

const RECORD = `
  insert into provider.charges (charge_id, order_id, amount_minor, charged_at)
  values ($1, $2, $3, $4)
  on conflict (order_id) do nothing
  returning ${COLUMNS}`;

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
    async record(charge) {
      const { charge_id, order_id, amount_minor, charged_at } = charge;
      const { rows } = await query("record-charge", RECORD, [charge_id, order_id, amount_minor, charged_at]);
      const standing = rows[0] ? withoutSeq(rows[0]) : await find(order_id);
      if (!standing) throw new Error(`The charge for ${order_id} is neither new nor there`);
      return standing;
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

export class MemoryLedger implements Ledger {
  readonly entries: LedgerEntry[] = [];

  async find(orderId: string): Promise<Charge | undefined> {
    return this.#standing(orderId);
  }

  async record(charge: Charge): Promise<Charge> {
    // Looked up and recorded with no pause between, as one statement does in Postgres.
    const standing = this.#standing(charge.order_id);
    if (standing) return standing;
    this.entries.push({ ...charge, seq: this.entries.length + 1 });
    return charge;
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
