import { createMetrics, DependencyUnavailable } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { MemoryIdempotencyKeys } from "../../src/adapters/idempotency-keys.ts";
import { MemoryOrderStore } from "../../src/adapters/memory-order-store.ts";
import { fingerprint } from "../../src/domain/order.ts";
import type { Cancellation, IdempotencyKeys, Leases } from "../../src/domain/ports.ts";
import { createHousekeeping, type HousekeepingParts } from "../../src/receiver/housekeeping.ts";
import { anOrder } from "../helpers.ts";

/** Begun by a receiver that was killed, in this order. */
async function storeWith(...ids: readonly string[]): Promise<MemoryOrderStore> {
  const store = new MemoryOrderStore();
  for (const order_id of ids) {
    const order = anOrder({ order_id });
    await store.begin(order, fingerprint(order), {
      instance: "one that was killed",
      settleAfterSeconds: 3600,
    });
  }
  return store;
}

async function keepHouse(
  t: Test,
  store: MemoryOrderStore,
  cancel: (orderId: string) => Promise<Cancellation>,
  parts: Partial<HousekeepingParts> = {},
) {
  const housekeeping = createHousekeeping({
    store,
    payments: {
      charge: async () => t.fail("nobody is charged") as never,
      cancel: ({ order_id }) => cancel(order_id),
    },
    keys: new MemoryIdempotencyKeys(),
    leases: store,
    instance: "this one",
    logger: silentLogger(),
    metrics: createMetrics("receiver"),
    everyMs: 5,
    ...parts,
  });
  await housekeeping.start();
  t.teardown(() => housekeeping.stop());
  return housekeeping;
}

const dropped = { status: "dropped" } as const;
const abandoned = (store: MemoryOrderStore, id: string) =>
  waitFor(`${id} to be settled`, async () => (await store.find(id))?.status === "abandoned");

t.test("the lease is kept while a round waits for a provider that is slow to answer", async (t) => {
  const store = await storeWith("o-1");
  let renewals = 0;
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const leases: Leases = {
    async renew() {
      renewals += 1;
    },
    async end() {},
  };
  const cancel = async () => {
    asked.resolve();
    await answer.promise;
    return dropped;
  };
  await keepHouse(t, store, cancel, { leases });
  await asked.promise;
  const before = renewals;
  await waitFor("three renewals more", () => renewals >= before + 3);
  t.equal((await store.find("o-1"))?.status, "processing", "the round still waits");
  answer.resolve();
  await abandoned(store, "o-1");
});

t.test("orders that cannot be settled do not stand in the way of the others", async (t) => {
  const failures = { mistake: new TypeError("a mistake"), "500": new DependencyUnavailable("500") };
  for (const [name, failure] of Object.entries(failures)) {
    const bad = ["bad-1", "bad-2", "bad-3", "bad-4"];
    const store = await storeWith(...bad, "good");
    const cancel = async (id: string) => {
      if (bad.includes(id)) throw failure;
      return dropped;
    };
    await keepHouse(t, store, cancel, { everyMs: 50 });
    await abandoned(store, "good");
    for (const id of bad) t.equal((await store.find(id))?.status, "processing", `${name}: ${id} is left`);
  }
});

t.test("what was put off and cannot be done is dropped; for want of the database it is kept", async (t) => {
  const store = await storeWith();
  const done: string[] = [];
  const { retryLater } = await keepHouse(t, store, async () => dropped);
  let out = true;
  retryLater(async () => {
    done.push("bad");
    throw new TypeError("a mistake");
  });
  retryLater(async () => {
    if (out) {
      out = false;
      throw new DependencyUnavailable("out");
    }
    done.push("good");
  });
  await waitFor("the second", () => done.includes("good"));
  t.same(done, ["bad", "good"]);
});

t.test("keys are removed while payments are out", async (t) => {
  const store = await storeWith("o-1");
  let cleaned = 0;
  const keys = new (class extends MemoryIdempotencyKeys implements IdempotencyKeys {
    override async clean(limit: number): Promise<number> {
      cleaned += 1;
      return await super.clean(limit);
    }
  })();
  const out = async () => {
    throw new DependencyUnavailable("out");
  };
  await keepHouse(t, store, out, { keys });
  await waitFor("rounds that clean", () => cleaned >= 3);
  t.equal((await store.find("o-1"))?.status, "processing");
});
