/** What the pipeline needs goes down and comes back: nothing accepted is lost, nothing refused is half accepted. */

import { randomUUID } from "node:crypto";
import { sqsOperator } from "@parallax/messaging";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { OrdersApi } from "../../lab/src/experiments/orders/orders-api.ts";
import { ownLab } from "../lib/own-lab.ts";

const { runtime } = await ownLab(t, {
  PAYMENT_SECONDS: "0.1",
  PAYMENT_CONCURRENCY: "0",
  VISIBILITY_TIMEOUT_SECONDS: "1",
});
const url = runtime.endpoint("orders-receiver");
const api = new OrdersApi({ receiver: url, payments: runtime.endpoint("orders-payments") });
const queue = sqsOperator({
  region: "us-west-2",
  endpoint: runtime.endpoint("emulator"),
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  queue: "order-processing-queue",
});
t.teardown(() => Promise.all([api[Symbol.asyncDispose](), queue[Symbol.asyncDispose]()]));

const order = (order_id: string) => ({
  order_id,
  customer_id: "c",
  items: [{ product_id: "p", quantity: 1, price: 2 }],
});

async function accept(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await Promise.all(ids.map((id) => api.placeOrder(order(id))));
  return ids;
}

async function allCompleted(ids: readonly string[]): Promise<boolean> {
  const found = await api.findOrders(ids);
  return ids.every((id) => found.get(id)?.status === "completed");
}

t.test("payments out: orders wait, none is dead-lettered, all are paid once when it is back", async (t) => {
  const before = (await api.ledgerSummary()).last_seq;
  await runtime.stop("orders-payments");
  const ids = await accept(30);
  // Longer than visibility timeout × maxReceiveCount would need to dead-letter what is delivered in vain.
  const began = performance.now();
  await waitFor("six seconds of outage", () => performance.now() - began > 6000);
  t.equal((await queue.depth()).deadLettered, 0);
  await runtime.start("orders-payments");
  await waitFor("all orders", () => allCompleted(ids), 30_000);
  const charges = await api.chargesAfter(before);
  t.same(new Set(charges.map(({ order_id }) => order_id)), new Set(ids));
  t.equal(charges.length, ids.length);
});

t.test("Postgres out: orders are accepted all the same and completed when it is back", async (t) => {
  await runtime.stop("postgres");
  const ids = await accept(10);
  const answer = await fetch(`${url}/orders/${ids[0]}`);
  t.equal(answer.status, 503);
  t.match(answer.headers.get("retry-after"), /^\d+$/);
  t.match(await answer.json(), { code: "DEPENDENCY_UNAVAILABLE", retryable: true });
  await runtime.start("postgres");
  await waitFor("all orders", () => allCompleted(ids), 30_000);
  t.equal((await queue.depth()).deadLettered, 0);
});

t.test("the broker out: 503 with Retry-After, and nothing of it is accepted later", async (t) => {
  await runtime.stop("emulator");
  const refused = randomUUID();
  const answer = await fetch(`${url}/orders/async`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(order(refused)),
  });
  t.equal(answer.status, 503);
  t.match(answer.headers.get("retry-after"), /^\d+$/);
  t.equal(answer.headers.get("content-type"), "application/problem+json");
  t.equal((await fetch(`${url}/health`)).status, 200, "the service itself goes on");
  await waitFor("readiness to tell", async () => (await fetch(`${url}/health/ready`)).status === 503);

  await runtime.start("emulator");
  // The emulator keeps nothing: topic and queue are made again by whoever needs them first.
  const [id] = await waitFor("an order to be accepted again", () => accept(1));
  await waitFor("that order", () => allCompleted([id as string]), 30_000);
  t.equal(await api.findOrder(refused), undefined);
  t.equal(await api.findCharge(refused), undefined);
});
