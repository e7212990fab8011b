/** The contract of the order store and of the ledger, and what both promise on a database that fails and comes back. */

import { randomUUID } from "node:crypto";
import { migrate } from "@parallax/postgres";
import { DependencyUnavailable } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import type pg from "pg";
import type { Test } from "tap";
import { LEDGER_SCHEMA, ledgerMigrations } from "../../src/adapters/ledgers.ts";
import { ORDERS_SCHEMA, orderMigrations } from "../../src/adapters/postgres-order-store.ts";
import { acceptOrder, fingerprint } from "../../src/domain/order.ts";
import type { Charge, Ledger, OrderStore } from "../../src/domain/ports.ts";

const AT = "2026-11-21T06:39:00.000Z";

export function anOrder(id: string = randomUUID(), quantity = 2) {
  return acceptOrder({ customer_id: "c", items: [{ product_id: "p", quantity, price: 1.5 }] }, id, AT);
}

export function aCharge(orderId: string, amount_minor = 300): Charge {
  return { charge_id: randomUUID(), order_id: orderId, amount_minor, charged_at: AT };
}

/** Adds the order store's tests to `t`. */
export function storeContract(t: Test, store: OrderStore): void {
  t.test("an order is unknown, then processing, then completed with its charge", async (t) => {
    const order = anOrder();
    t.equal(await store.find(order.order_id), undefined);
    t.match(await store.begin(order, fingerprint(order)), { outcome: "begun" });
    t.match(await store.find(order.order_id), {
      status: "processing",
      total_minor: 300,
      attempts: 1,
      accepted_at: AT,
    });
    const charge = aCharge(order.order_id);
    t.equal(await store.complete(charge), "completed");
    t.match(await store.find(order.order_id), {
      status: "completed",
      charge_id: charge.charge_id,
      customer_id: "c",
    });
  });

  t.test("beginning again counts, and tells what is there already", async (t) => {
    const order = anOrder();
    await store.begin(order, fingerprint(order));
    t.match(await store.begin(order, fingerprint(order)), { outcome: "begun" });
    t.match(await store.find(order.order_id), { attempts: 2 });
    await store.complete(aCharge(order.order_id));
    t.same(await store.begin(order, fingerprint(order)), { outcome: "completed" });
    const other = anOrder(order.order_id, 3);
    t.same(await store.begin(other, fingerprint(other)), { outcome: "conflict" });
  });

  t.test("of ten that complete an order at once, one does", async (t) => {
    const order = anOrder();
    await store.begin(order, fingerprint(order));
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => store.complete(aCharge(order.order_id))),
    );
    t.equal(outcomes.filter((outcome) => outcome === "completed").length, 1);
  });
}

/** Adds the ledger's tests to `t`. */
export function ledgerContract(t: Test, ledger: Ledger): void {
  t.test("of ten charges for one order, one stands, and all are told which", async (t) => {
    const id = randomUUID();
    t.equal(await ledger.find(id), undefined);
    const charges = await Promise.all(Array.from({ length: 10 }, () => ledger.record(aCharge(id), 1)));
    t.equal(new Set(charges.map(({ charge_id }) => charge_id)).size, 1);
    t.same(await ledger.find(id), charges[0]);
  });

  t.test("pages hold every charge once, oldest first, and the totals agree", async (t) => {
    const before = await ledger.totals();
    const ids = Array.from({ length: 25 }, () => randomUUID());
    for (const id of ids) await ledger.record(aCharge(id, 7), 1);
    const seen: string[] = [];
    for (let after = before.last_seq; ; ) {
      const page = await ledger.page(after, 10);
      seen.push(...page.map(({ order_id }) => order_id));
      if (page.length < 10) break;
      after = page.at(-1)?.seq ?? 0;
    }
    t.same(seen, ids);
    const totals = await ledger.totals();
    t.equal(totals.charges - before.charges, 25);
    t.equal(totals.amount_minor - before.amount_minor, 25 * 7);
  });
}

/** Adds what is asked of the migrations to `t`. */
export function migrationsContract(t: Test, pool: pg.Pool): void {
  t.test("migrations run together and again change nothing", async (t) => {
    await t.resolves(Promise.all([...migrateBoth(pool), ...migrateBoth(pool), ...migrateBoth(pool)]));
    const { rows } = await pool.query("select name from orders.migrations");
    t.equal(rows.length, orderMigrations.length);
  });
}

export function migrateBoth(pool: pg.Pool): Promise<void>[] {
  return [migrate(pool, ORDERS_SCHEMA, orderMigrations), migrate(pool, LEDGER_SCHEMA, ledgerMigrations)];
}

/** Adds an outage of the database to `t`. */
export function outageContract(
  t: Test,
  store: OrderStore,
  database: { stop(): Promise<unknown>; start(): Promise<unknown> },
): void {
  t.test("a database that is out is DependencyUnavailable, and comes back", async (t) => {
    await database.stop();
    const order = anOrder();
    const calls = [() => store.check(), () => store.find("x"), () => store.begin(order, fingerprint(order))];
    for (const call of calls) {
      const error = await call().then(
        () => undefined,
        (error: unknown) => error,
      );
      t.ok(error instanceof DependencyUnavailable, String(error));
    }
    await database.start();
    await waitFor("the database", () => store.check().then(() => true as const));
    t.match(await store.begin(order, fingerprint(order)), { outcome: "begun" });
  });
}
