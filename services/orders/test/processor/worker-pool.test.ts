import { MemoryBroker } from "@parallax/messaging";
import { createMetrics, DependencyUnavailable } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t from "tap";
import { httpPaymentProvider } from "../../src/adapters/http-payment-provider.ts";
import { MemoryLedger } from "../../src/adapters/ledgers.ts";
import { MemoryOrderStore } from "../../src/adapters/memory-order-store.ts";
import { encodeOrder } from "../../src/domain/order-message.ts";
import type { PaymentProvider } from "../../src/domain/ports.ts";
import { startWorkerPool } from "../../src/processor/worker-pool.ts";
import { anOrder, startPayments, type Test } from "../helpers.ts";

/** A provider in this process whose calls last until they are let go, and which can be out. */
function fakePayments(ledger = new MemoryLedger()) {
  const state = { out: false, hold: false, asked: 0 };
  const released = Promise.withResolvers<void>();
  const payments: PaymentProvider = {
    async charge({ order_id, amount_minor }, { signal }) {
      state.asked += 1;
      if (state.out) throw new DependencyUnavailable("out");
      if (state.hold) {
        await Promise.race([released.promise, new Promise((_, no) => signal.addEventListener("abort", no))]);
      }
      const charge = { charge_id: crypto.randomUUID(), order_id, amount_minor };
      return await ledger.record({ ...charge, charged_at: new Date().toISOString() });
    },
  };
  return { state, payments, ledger, release: released.resolve };
}

function startPool(t: Test, payments: PaymentProvider, workers: number, broker = new MemoryBroker()) {
  const store = new MemoryOrderStore();
  const metrics = createMetrics("processor");
  const probeBackoffMs = { first: 20, most: 40 };
  const pool = startWorkerPool({
    broker,
    store,
    payments,
    logger: silentLogger(),
    metrics,
    workers,
    probeBackoffMs,
  });
  t.teardown(() => pool.stop(0));
  const completed = () => [...store.orders.values()].filter(({ charge }) => charge !== undefined).length;
  const idle = async () => {
    const { visible, inFlight } = await broker.depth();
    return visible + inFlight === 0;
  };
  return { broker, store, metrics, pool, completed, idle };
}

async function publish(broker: MemoryBroker, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n += 1) {
    await broker.publish(encodeOrder(anOrder({ order_id: `o-${n}` }), ""));
  }
}

t.test("every order is completed with one charge, duplicates and all", async (t) => {
  const { payments, ledger } = fakePayments();
  const { broker, completed, idle, metrics } = startPool(t, payments, 7);
  await publish(broker, 200);
  await publish(broker, 50);
  await waitFor("the queue to drain", idle);
  t.equal(completed(), 200);
  t.equal(ledger.entries.length, 200);
  t.equal(new Set(ledger.entries.map(({ order_id }) => order_id)).size, 200);
  const text = await metrics.registry.metrics();
  const count = (outcome: string) =>
    Number(new RegExp(`orders_processed_total\\{outcome="${outcome}".*\\} (\\d+)`).exec(text)?.[1]);
  t.equal(count("completed") + count("duplicate"), 250);
});

t.test(
  "poison reaches the dead letters after exactly maxReceiveCount; the good beside it does not",
  async (t) => {
    const broker = new MemoryBroker({ maxReceiveCount: 3 });
    const { payments } = fakePayments();
    const { completed, idle, metrics } = startPool(t, payments, 2, broker);
    await broker.publish({ body: "poison", attributes: {} });
    await publish(broker, 5);
    await waitFor("the dead letter", async () => (await broker.depth()).deadLettered === 1);
    await waitFor("the queue to drain", idle);
    t.match(await broker.deadLetters(10), [{ body: "poison" }]);
    t.equal(completed(), 5);
    t.match(await metrics.registry.metrics(), /orders_consumer_errors_total\{what="handle",.*\} 3$/m);
  },
);

t.test("another order with an id that is taken is dead-lettered; the first stays as it is", async (t) => {
  const { payments, ledger } = fakePayments();
  const { broker, store, idle } = startPool(t, payments, 2);
  await publish(broker, 1);
  await waitFor("the queue to drain", idle);
  await broker.publish(encodeOrder(anOrder({ order_id: "o-0", customer_id: "somebody else" }), ""));
  await waitFor("the dead letter", async () => (await broker.depth()).deadLettered === 1);
  t.match(await store.find("o-0"), { status: "completed", customer_id: "customer-1" });
  t.equal(ledger.entries.length, 1);
});

t.test("payments out: polling pauses, nobody is dead-lettered, all is done when they are back", async (t) => {
  const broker = new MemoryBroker({ maxReceiveCount: 1, visibilitySeconds: 1 });
  const { payments, state, ledger } = fakePayments();
  const { pool, completed, idle, metrics } = startPool(t, payments, 4, broker);
  state.out = true;
  await publish(broker, 30);
  await waitFor("the breaker to open", () => pool.breaker === "open");
  t.match(await metrics.registry.metrics(), /orders_breaker_open\{service="processor"\} 1/);
  const tried = state.asked;
  await waitFor("three more probes", () => state.asked >= tried + 3);
  t.ok(pool.inFlight <= 10, "what was on its way when polling paused, and no more");
  t.match(await broker.depth(), { deadLettered: 0 });
  t.ok((await broker.depth()).visible >= 20, "the rest was not received");
  state.out = false;
  await waitFor("the queue to drain", idle);
  t.equal(completed(), 30);
  t.equal(ledger.entries.length, 30);
  t.equal(pool.breaker, "closed");
  t.match(await broker.depth(), { deadLettered: 0 });
});

t.test("while it is out free workers take nothing more", async (t) => {
  const { payments, state } = fakePayments();
  const { broker, pool, idle } = startPool(t, payments, 50);
  state.out = true;
  await publish(broker, 1);
  await waitFor("the breaker to open", () => pool.breaker === "open");
  await publish(broker, 60, 1);
  const tried = state.asked;
  await waitFor("three more probes", () => state.asked >= tried + 3);
  // The poll that was waiting when polling paused may still bring its ten.
  t.ok(pool.inFlight <= 11, `${pool.inFlight} in hand`);
  t.ok((await broker.depth()).visible >= 50);
  state.out = false;
  await waitFor("the queue to drain", idle);
});

t.test("the database out has the same effect", async (t) => {
  const broker = new MemoryBroker({ maxReceiveCount: 1 });
  const { payments, ledger } = fakePayments();
  const { pool, store, idle } = startPool(t, payments, 4, broker);
  store.out = true;
  await publish(broker, 10);
  await waitFor("the breaker to open", () => pool.breaker === "open");
  t.equal(ledger.entries.length, 0, "nobody pays for what cannot be put on record");
  store.out = false;
  await waitFor("the queue to drain", idle);
  t.equal(ledger.entries.length, 10);
  t.match(await broker.depth(), { deadLettered: 0 });
});

t.test("a hundred workers, one payment at a time: the provider's limit holds", async (t) => {
  const { url, ledger } = await startPayments(t, { concurrency: 1, paymentSeconds: 0.001 });
  const payments = httpPaymentProvider({ url, connections: 100, timeoutSeconds: 30 });
  t.teardown(() => payments[Symbol.asyncDispose]());
  const { broker, completed, idle } = startPool(t, payments, 100);
  await publish(broker, 200);
  await waitFor("the queue to drain", idle);
  t.equal(completed(), 200);
  t.equal(ledger.entries.length, 200);
  const summary = await (await fetch(`${url}/ledger/summary`)).json();
  t.match(summary, { charges: 200, waiting: 0, in_progress: 0, most_in_progress: 1 });
});

t.test("stop hands back what is not finished, at once and with nothing lost", async (t) => {
  const broker = new MemoryBroker();
  const { payments, state, ledger } = fakePayments();
  state.hold = true;
  const first = startPool(t, payments, 3, broker);
  await publish(broker, 8);
  await waitFor("three payments to begin", () => state.asked === 3);
  t.same(await first.pool.stop(0), { finished: 0, handedBack: 3 });
  t.match(await broker.depth(), { visible: 8, inFlight: 0, deadLettered: 0 });
  state.hold = false;
  const second = startPool(t, payments, 3, broker);
  await waitFor("the queue to drain", second.idle);
  t.equal(second.completed(), 8);
  t.equal(ledger.entries.length, 8);
});

t.test("stop waits for what can be finished within its grace", async (t) => {
  const { payments, state, release } = fakePayments();
  state.hold = true;
  const { broker, pool, completed } = startPool(t, payments, 3);
  await publish(broker, 3);
  await waitFor("three payments to begin", () => state.asked === 3);
  const stopping = pool.stop(60_000);
  release();
  t.same(await stopping, { finished: 3, handedBack: 0 });
  t.equal(completed(), 3);
  t.match(await broker.depth(), { visible: 0, inFlight: 0 });
});

t.test("with a rule there are as many workers as the backlog asks for, no more than allowed", async (t) => {
  const broker = new MemoryBroker();
  const { payments, state, ledger, release } = fakePayments();
  state.hold = true;
  await publish(broker, 60);
  const store = new MemoryOrderStore();
  const metrics = createMetrics("processor");
  const pool = startWorkerPool({
    broker,
    store,
    payments,
    logger: silentLogger(),
    metrics,
    workers: 2,
    scaling: { backlogPerWorker: 3, least: 2, most: 15, intervalSeconds: 0.01, cooldownSeconds: 0.05 },
  });
  t.teardown(() => pool.stop(0));
  await waitFor("fifteen payments to begin", () => state.asked === 15);
  t.equal(pool.workers, 15);
  t.match(await metrics.registry.metrics(), /orders_workers\{service="processor"\} 15/);
  t.equal(pool.inFlight, 15, "and each has one order in hand");
  release();
  state.hold = false;
  await waitFor("the queue to drain", async () => ledger.entries.length === 60);
  await waitFor("the least number of workers", () => pool.workers === 2);
  t.equal(pool.inFlight, 0);
});
