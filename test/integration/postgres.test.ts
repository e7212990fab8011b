/** The stores of orders on a Postgres container as the lab runs it, and what they promise when it is killed. */

import { randomUUID } from "node:crypto";
import { openPool } from "@parallax/postgres";
import { silentLogger, waitFor } from "@parallax/testkit";
import t from "tap";
import { postgresLedger } from "../../services/orders/src/adapters/ledgers.ts";
import { postgresOrderStore } from "../../services/orders/src/adapters/postgres-order-store.ts";
import { fingerprint } from "../../services/orders/src/domain/order.ts";
import {
  aCharge,
  anOrder,
  ledgerContract,
  migrateBoth,
  migrationsContract,
  outageContract,
  storeContract,
} from "../../services/orders/test/contract/stores-contract.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { labDefinition, postgresPassword } from "../lib/lab-definitions.ts";

const suite = await ContainerSuite.open(t);
const postgres = await suite.run("postgres", await labDefinition("postgres"));
const url = `postgres://postgres:${postgresPassword}@127.0.0.1:${postgres.port(5432)}/parallax`;
const pool = openPool({ url, poolSize: 10, applicationName: "test" }, silentLogger());
t.teardown(() => pool.end());
const store = postgresOrderStore(pool);
const ledger = postgresLedger(pool);

t.test("it is the version that the lab names", async (t) => {
  const { rows } = await pool.query("select current_setting('server_version_num')::int / 10000 as major");
  t.equal(rows[0].major, 17);
});

t.test("migrations of services that start together", async (t) => {
  await t.resolves(Promise.all([...migrateBoth(pool), ...migrateBoth(pool), ...migrateBoth(pool)]));
});
migrationsContract(t, pool);
storeContract(t, store);
ledgerContract(t, ledger);
outageContract(t, store, { stop: () => postgres.stop(15), start: () => postgres.start() });

t.test("killed in the middle of commits, with its volume kept: what was acknowledged is there", async (t) => {
  const charged: string[] = [];
  const completed: string[] = [];
  const write = async () => {
    for (;;) {
      const order = anOrder(randomUUID());
      const charge = await ledger.record(aCharge(order.order_id), 1);
      charged.push(order.order_id);
      await store.begin(order, fingerprint(order));
      if ((await store.complete(charge)) === "completed") completed.push(order.order_id);
    }
  };
  const writing = Promise.allSettled(Array.from({ length: 10 }, write));
  await waitFor("some hundred commits", () => completed.length > 200, 30_000);
  await postgres.kill();
  const ends = await writing;
  t.ok(
    ends.every(({ status }) => status === "rejected"),
    "it was killed in the middle of commits",
  );
  await postgres.start();
  await waitFor("the database", () => store.check().then(() => true as const));
  const lostCharges = await filterAsync(charged, async (id) => (await ledger.find(id)) === undefined);
  t.same(lostCharges, []);
  const lost = await filterAsync(completed, async (id) => (await store.find(id))?.status !== "completed");
  t.same(lost, []);
  t.comment(`${charged.length} charges and ${completed.length} completed orders were acknowledged`);
});

async function filterAsync<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<T[]> {
  const verdicts = await Promise.all(items.map(holds));
  return items.filter((_, at) => verdicts[at]);
}
