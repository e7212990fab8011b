import { PermanentFailure } from "@parallax/messaging";
import { DependencyUnavailable } from "@parallax/service";
import t from "tap";
import { MemoryLedger } from "../../src/adapters/ledgers.ts";
import { MemoryOrderStore } from "../../src/adapters/memory-order-store.ts";
import type { CallContext, PaymentProvider } from "../../src/domain/ports.ts";
import { processOrder } from "../../src/domain/process-order.ts";
import { anOrder } from "../helpers.ts";

const context: CallContext = { signal: new AbortController().signal, traceparent: "" };

/** A provider that charges an order id once, as the real one does, and counts how often it is asked. */
function provider(ledger = new MemoryLedger()) {
  const asked: string[] = [];
  const payments: PaymentProvider = {
    async charge({ order_id, amount_minor }) {
      asked.push(order_id);
      const charge = { charge_id: `charge-${asked.length}`, order_id, amount_minor };
      return await ledger.record({ ...charge, charged_at: new Date().toISOString() });
    },
  };
  return { ledger, payments, asked };
}

t.test("an order is begun, paid and completed", async (t) => {
  const store = new MemoryOrderStore();
  const { ledger, payments } = provider();
  t.equal(await processOrder(anOrder(), { store, payments }, context), "completed");
  t.match(ledger.entries, [{ order_id: "order-1", amount_minor: 3998 }]);
  t.match(await store.find("order-1"), { status: "completed", charge_id: "charge-1", attempts: 1 });
});

t.test("a duplicate is told and pays nothing", async (t) => {
  const store = new MemoryOrderStore();
  const { ledger, payments, asked } = provider();
  await processOrder(anOrder(), { store, payments }, context);
  const again = anOrder({ accepted_at: "2026-05-05T05:05:05.555Z" });
  t.equal(await processOrder(again, { store, payments }, context), "duplicate");
  t.equal(asked.length, 1);
  t.equal(ledger.entries.length, 1);
});

t.test("twins at the same moment: one charge, one completion", async (t) => {
  const store = new MemoryOrderStore();
  const { ledger, payments } = provider();
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, () => processOrder(anOrder(), { store, payments }, context)),
  );
  t.equal(outcomes.filter((outcome) => outcome === "completed").length, 1);
  t.equal(ledger.entries.length, 1);
  t.match(await store.find("order-1"), { status: "completed", charge_id: ledger.entries[0]?.charge_id });
});

t.test("another order with the same id is refused for good, and nobody pays for it", async (t) => {
  const store = new MemoryOrderStore();
  const { payments, asked } = provider();
  await processOrder(anOrder(), { store, payments }, context);
  const other = anOrder({ customer_id: "somebody else" });
  await t.rejects(processOrder(other, { store, payments }, context), PermanentFailure);
  t.equal(asked.length, 1);
  t.match(await store.find("order-1"), { customer_id: "customer-1", status: "completed" });
});

t.test("killed between charge and commit: the repeat completes with the charge that stands", async (t) => {
  const store = new MemoryOrderStore();
  const { ledger, payments, asked } = provider();
  const dying: PaymentProvider = {
    async charge(request, context) {
      const charge = await payments.charge(request, context);
      store.out = true;
      return charge;
    },
  };
  await t.rejects(processOrder(anOrder(), { store, payments: dying }, context), DependencyUnavailable);
  t.equal(ledger.entries.length, 1, "the customer has paid");
  store.out = false;
  t.match(await store.find("order-1"), { status: "processing" });
  t.equal(await processOrder(anOrder(), { store, payments }, context), "completed");
  t.same([asked.length, ledger.entries.length], [2, 1]);
  t.match(await store.find("order-1"), { status: "completed", charge_id: "charge-1", attempts: 2 });
});

t.test("aborted before it pays, it does not pay", async (t) => {
  const store = new MemoryOrderStore();
  const { payments, asked } = provider();
  const signal = AbortSignal.abort(new Error("lease lost"));
  await t.rejects(processOrder(anOrder(), { store, payments }, { ...context, signal }), {
    message: "lease lost",
  });
  t.same(asked, []);
});

t.test("aborted after it paid, the payment is put on record all the same", async (t) => {
  const store = new MemoryOrderStore();
  const { payments } = provider();
  const abort = new AbortController();
  const late: PaymentProvider = {
    async charge(request, context) {
      const charge = await payments.charge(request, context);
      abort.abort(new Error("lease lost"));
      return charge;
    },
  };
  const outcome = await processOrder(
    anOrder(),
    { store, payments: late },
    { ...context, signal: abort.signal },
  );
  t.equal(outcome, "completed");
  t.match(await store.find("order-1"), { status: "completed" });
});
