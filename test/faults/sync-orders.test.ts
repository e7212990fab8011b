/**
 * Orders that are paid while their customers wait, when these hang up or the receiver is killed: whatever happens,
 * the provider has charged exactly the orders that are completed, each once, and every other one is abandoned.
 */

import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { type FoundOrder, OrdersApi } from "../../lab/src/experiments/orders/orders-api.ts";
import { ownLab } from "../lib/own-lab.ts";

const CUSTOMERS = 20;
const SETTLE_MS = 60_000;

t.setTimeout(600_000);

const { runtime } = await ownLab(t, { PAYMENT_SECONDS: "0.5", PAYMENT_CONCURRENCY: "1" });
const url = runtime.endpoint("orders-receiver");
const api = new OrdersApi({ receiver: url, payments: runtime.endpoint("orders-payments") });
t.teardown(() => api[Symbol.asyncDispose]());

/** The status that a customer is answered; 0 when there is no answer, or the customer does not wait for it. */
async function pay(id: string, patienceMs: number): Promise<number> {
  try {
    const answer = await fetch(`${url}/orders/sync`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        order_id: id,
        customer_id: "c",
        items: [{ product_id: "p", quantity: 1, price: 2 }],
      }),
      signal: AbortSignal.timeout(patienceMs),
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}

const newIds = () => Array.from({ length: CUSTOMERS }, () => randomUUID());

/** Waits until every order has come to its end, holds the ledger against them, and prints the count. */
async function settleAndCount(t: Test, ids: readonly string[], since: number, answers: readonly number[]) {
  const orders = await waitFor(
    "every order to come to its end",
    async () => {
      const found = await api.findOrders(ids);
      // One that the receiver never began is unknown, and stays so.
      return ![...found.values()].some(({ status }) => status === "processing") && found;
    },
    SETTLE_MS,
  );
  const charges = await api.chargesAfter(since);
  const withStatus = (status: FoundOrder["status"]) => ids.filter((id) => orders.get(id)?.status === status);
  const completed = withStatus("completed");
  t.same(charges.map(({ order_id }) => order_id).sort(), completed.toSorted(), "charges = completed orders");
  for (const { order_id, charge_id } of charges) t.equal(orders.get(order_id)?.charge_id, charge_id);
  const answered = ids.filter((_, index) => answers[index] === 200);
  t.strictSame(
    answered.filter((id) => !completed.includes(id)),
    [],
    "who was told 200 has an order",
  );
  const count = {
    customers: ids.length,
    answered_200: answered.length,
    completed: completed.length,
    abandoned: withStatus("abandoned").length,
    never_begun: ids.length - orders.size,
    charges: charges.length,
    charged_without_answer: completed.length - answered.length,
  };
  t.comment(JSON.stringify(count));
  return count;
}

async function ledgerEnd(): Promise<number> {
  return (await api.ledgerSummary()).last_seq;
}

t.test("drop: twenty customers hang up; who stood in line is not charged", async (t) => {
  const since = await ledgerEnd();
  const ids = newIds();
  // In the middle of the seventh payment; what each takes beside its half second may make it the end of the sixth.
  const answers = await Promise.all(ids.map((id) => pay(id, 3250)));
  const count = await settleAndCount(t, ids, since, answers);
  t.ok(count.completed > 0 && count.abandoned > 0, "some were in time, some were not");
  t.ok(
    count.charged_without_answer <= 2,
    "at most the payment that had begun, and one whose answer was on its way",
  );
});

t.test("keep: twenty customers hang up, and are charged all the same, as in the study", async (t) => {
  await runtime.configure("orders-receiver", { SYNC_ABANDON: "keep" });
  const since = await ledgerEnd();
  const ids = newIds();
  const answers = await Promise.all(ids.map((id) => pay(id, 3000)));
  const count = await settleAndCount(t, ids, since, answers);
  t.equal(count.completed, CUSTOMERS);
  t.ok(count.charged_without_answer > 0, "charged and never told");
});

t.test("SIGKILL of the receiver under load, twice", async (t) => {
  await runtime.configure("orders-receiver", { SYNC_ABANDON: "drop" });
  const since = await ledgerEnd();
  const ids: string[] = [];
  const answers: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    const charged = (await api.ledgerSummary()).charges;
    const these = newIds();
    const answering = Promise.all(these.map((id) => pay(id, 60_000)));
    await waitFor(
      "payments to be made and the line to be long",
      async () => {
        const { charges, waiting } = await api.ledgerSummary();
        return charges >= charged + 2 && waiting > 5;
      },
      30_000,
    );
    await runtime.kill("orders-receiver", "SIGKILL");
    await runtime.start("orders-receiver");
    ids.push(...these);
    answers.push(...(await answering));
  }
  const count = await settleAndCount(t, ids, since, answers);
  t.ok(count.completed >= 4 && count.abandoned > 0, "the kills came in the middle");
  const again = await Promise.all(ids.map((id) => pay(id, 60_000)));
  t.same(new Set(again), new Set([200]), "each can be sent again");
  const later = await settleAndCount(t, ids, since, again);
  t.equal(later.charges, ids.length);
});

t.test("SIGTERM of the receiver under load: every customer is answered", async (t) => {
  await runtime.configure("orders-payments", { PAYMENT_SECONDS: "3" });
  t.teardown(() => runtime.configure("orders-payments", {}));
  const since = await ledgerEnd();
  const ids = newIds();
  const answering = Promise.all(ids.map((id) => pay(id, 60_000)));
  await waitFor(
    "all to be in line but for the one that pays, and the one that has paid",
    async () => (await api.ledgerSummary()).last_seq > since && (await api.ledgerSummary()).waiting > 10,
    30_000,
  );
  await runtime.stop("orders-receiver");
  const answers = await answering;
  await runtime.start("orders-receiver");
  t.same(new Set(answers), new Set([200, 503]), "nobody is cut off");
  const count = await settleAndCount(t, ids, since, answers);
  t.equal(count.charged_without_answer, 0);
  t.equal(count.completed + count.abandoned, CUSTOMERS, "who was told 503 is on record as not charged");
});

/** All of them at once; the statuses are told as they come. */
function payAll(ids: readonly string[]) {
  const told = new Set<number>();
  const telling = async (id: string) => {
    const status = await pay(id, 60_000);
    told.add(status);
    return status;
  };
  return { told, answering: Promise.all(ids.map(telling)) };
}

t.test("payments are killed under load and come back", async (t) => {
  const since = await ledgerEnd();
  const ids = newIds();
  const { told, answering } = payAll(ids);
  await waitFor("some to be paid", () => told.has(200), 30_000);
  t.ok((await api.ledgerSummary()).waiting > 5, "the line is long");
  await runtime.kill("orders-payments", "SIGKILL");
  await runtime.start("orders-payments");
  const answers = await answering;
  t.ok(answers.includes(503), "customers were told");
  const count = await settleAndCount(t, ids, since, answers);
  t.ok(count.completed > 0 && count.abandoned > 0, "the kill came in the middle");
});

t.test("Postgres goes down under load and comes back", async (t) => {
  const since = await ledgerEnd();
  const ids = newIds();
  const { told, answering } = payAll(ids);
  await waitFor("some to be paid", () => told.has(200), 30_000);
  t.ok((await api.ledgerSummary()).waiting > 5, "the line is long");
  await runtime.stop("postgres");
  // Not before: an outage between two payments is none.
  await waitFor("customers to be told", () => told.has(503), 60_000);
  t.equal((await fetch(`${url}/health/ready`)).status, 503);
  await runtime.start("postgres");
  await waitFor("the ledger to answer", ledgerEnd, 30_000);
  const count = await settleAndCount(t, ids, since, await answering);
  t.ok(count.completed > 0, "who had paid before has an order");
});
