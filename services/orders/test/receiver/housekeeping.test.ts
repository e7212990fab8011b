import { createMetrics } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t from "tap";
import { MemoryIdempotencyKeys } from "../../src/adapters/idempotency-keys.ts";
import { MemoryOrderStore } from "../../src/adapters/memory-order-store.ts";
import { fingerprint } from "../../src/domain/order.ts";
import type { RevocablePayments } from "../../src/domain/ports.ts";
import { createHousekeeping } from "../../src/receiver/housekeeping.ts";
import { anOrder } from "../helpers.ts";

t.test("the lease is kept while a round waits for a provider that is slow to answer", async (t) => {
  const store = new MemoryOrderStore();
  const order = anOrder({ order_id: "o-1" });
  await store.begin(order, fingerprint(order), { instance: "one that was killed", settleAfterSeconds: 3600 });
  let renewals = 0;
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const payments: RevocablePayments = {
    charge: async () => t.fail("nobody is charged") as never,
    async cancel() {
      asked.resolve();
      await answer.promise;
      return { status: "dropped" };
    },
  };
  const housekeeping = createHousekeeping({
    store,
    payments,
    keys: new MemoryIdempotencyKeys(),
    leases: {
      async renew() {
        renewals += 1;
      },
      async end() {},
    },
    instance: "this one",
    logger: silentLogger(),
    metrics: createMetrics("receiver"),
    everyMs: 5,
  });
  await housekeeping.start();
  t.teardown(() => housekeeping.stop());
  await asked.promise;
  const before = renewals;
  await waitFor("three renewals more", () => renewals >= before + 3);
  t.equal((await store.find("o-1"))?.status, "processing", "the round still waits");
  answer.resolve();
  await waitFor("it to be settled", async () => (await store.find("o-1"))?.status === "abandoned");
});
