/** The contracts of the order store and of the ledger: the same on Postgres as on the in-memory twins. */

import { silentLogger } from "@parallax/testkit";
import t from "tap";
import { openPool } from "../../services/orders/src/adapters/database.ts";
import { MemoryLedger, postgresLedger } from "../../services/orders/src/adapters/ledgers.ts";
import { MemoryOrderStore } from "../../services/orders/src/adapters/memory-order-store.ts";
import { postgresOrderStore } from "../../services/orders/src/adapters/postgres-order-store.ts";
import {
  ledgerContract,
  migrationsContract,
  outageContract,
  storeContract,
} from "../../services/orders/test/contract/stores-contract.ts";
import { ownLab } from "../lib/own-lab.ts";

t.test("in memory", async (t) => {
  storeContract(t, new MemoryOrderStore());
  ledgerContract(t, new MemoryLedger());
});

t.test("on Postgres", async (t) => {
  const { runtime } = await ownLab(t);
  const options = { url: runtime.endpoint("postgres"), poolSize: 10, applicationName: "test" };
  const pool = openPool(options, silentLogger());
  t.teardown(() => pool.end());
  const store = postgresOrderStore(pool);
  storeContract(t, store);
  ledgerContract(t, postgresLedger(pool));
  migrationsContract(t, pool);
  outageContract(t, store, {
    stop: () => runtime.stop("postgres"),
    start: () => runtime.start("postgres"),
  });
});
