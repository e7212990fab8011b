/** The contracts of the order stores, the ledger and the keys: the same on Postgres as on the in-memory twins. */

import { openPool } from "@parallax/postgres";
import { silentLogger } from "@parallax/testkit";
import t from "tap";
import {
  MemoryIdempotencyKeys,
  postgresIdempotencyKeys,
} from "../../services/orders/src/adapters/idempotency-keys.ts";
import { MemoryLedger, postgresLedger } from "../../services/orders/src/adapters/ledgers.ts";
import { MemoryOrderStore } from "../../services/orders/src/adapters/memory-order-store.ts";
import { postgresLeases } from "../../services/orders/src/adapters/postgres-leases.ts";
import { postgresOrderStore } from "../../services/orders/src/adapters/postgres-order-store.ts";
import {
  ledgerContract,
  migrationsContract,
  outageContract,
  storeContract,
} from "../../services/orders/test/contract/stores-contract.ts";
import {
  gateContract,
  keysContract,
  syncStoreContract,
} from "../../services/orders/test/contract/sync-stores-contract.ts";
import { ownLab } from "../lib/own-lab.ts";

t.test("in memory", async (t) => {
  const store = new MemoryOrderStore();
  storeContract(t, store);
  syncStoreContract(t, store, store);
  ledgerContract(t, new MemoryLedger());
  gateContract(t, new MemoryLedger());
  keysContract(t, new MemoryIdempotencyKeys((instance) => store.isAlive(instance)), store);
});

t.test("on Postgres", async (t) => {
  const { runtime } = await ownLab(t);
  const options = { url: runtime.endpoint("postgres"), poolSize: 10, applicationName: "test" };
  const pool = openPool(options, silentLogger());
  t.teardown(() => pool.end());
  const store = postgresOrderStore(pool);
  storeContract(t, store);
  const leases = postgresLeases(pool);
  syncStoreContract(t, store, leases);
  ledgerContract(t, postgresLedger(pool));
  gateContract(t, postgresLedger(pool));
  keysContract(t, postgresIdempotencyKeys(pool), leases);
  migrationsContract(t, pool);
  outageContract(t, store, {
    stop: () => runtime.stop("postgres"),
    start: () => runtime.start("postgres"),
  });
});
