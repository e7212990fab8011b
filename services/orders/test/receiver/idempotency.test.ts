import { createHash } from "node:crypto";
import type { MemoryBroker } from "@parallax/messaging";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { goodOrder, HeldLedger, post, startPayments, startReceiver, type Test } from "../helpers.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const withKey = (key: string) => ({ "idempotency-key": key });

/** Ids of the orders that the broker holds. */
async function published(t: Test, broker: MemoryBroker): Promise<string[]> {
  const { visible } = await broker.depth();
  const ids: string[] = [];
  const consumer = broker.consume(async ({ body }) => void ids.push(JSON.parse(body).order.order_id), {
    concurrency: 1,
  });
  t.teardown(() => consumer.stop(0));
  await waitFor("all that was published", () => ids.length >= visible);
  return ids;
}

t.test("the same again: the first answer again, to the byte, and one effect", async (t) => {
  const { url, broker, metrics } = await startReceiver(t);
  const first = await post(`${url}/orders/async`, goodOrder, withKey("k-1"));
  t.equal(first.headers.get("idempotency-replayed"), null);
  const text = await first.text();
  t.match(JSON.parse(text).order_id, UUID_V7);
  for (let again = 0; again < 3; again += 1) {
    const answer = await post(`${url}/orders/async`, goodOrder, withKey("k-1"));
    t.equal(answer.status, 202);
    t.equal(answer.headers.get("idempotency-replayed"), "true");
    for (const name of ["location", "content-type"]) {
      t.equal(answer.headers.get(name), first.headers.get(name), name);
    }
    t.equal(await answer.text(), text);
  }
  t.match(await broker.depth(), { visible: 1 });
  t.match(await metrics.registry.metrics(), /orders_idempotency_total\{.*outcome="finished".*\} 3/);
});

t.test("other contents, or another endpoint, are 422 that names the header", async (t) => {
  const { url: paymentsUrl } = await startPayments(t);
  const { url, broker } = await startReceiver(t, { paymentsUrl });
  await post(`${url}/orders/async`, goodOrder, withKey("k-1"));
  const others = [
    await post(`${url}/orders/async`, { ...goodOrder, customer_id: "other" }, withKey("k-1")),
    await post(`${url}/orders/sync`, goodOrder, withKey("k-1")),
    await post(`${url}/orders/async`, {}, withKey("k-1")),
  ];
  for (const answer of others) {
    t.equal(answer.status, 422);
    t.match(await answer.json(), {
      code: "IDEMPOTENCY_KEY_REUSED",
      header: "Idempotency-Key",
      detail: /Idempotency-Key/,
    });
  }
  t.match(await broker.depth(), { visible: 1 });
});

t.test("while the first is running: 409 with Retry-After; then its answer", async (t) => {
  const ledger = new HeldLedger();
  const { url: paymentsUrl } = await startPayments(t, { ledger });
  const { url, store } = await startReceiver(t, { paymentsUrl });
  const first = post(`${url}/orders/sync`, goodOrder, withKey("k-1"));
  await waitFor("it to be begun", () => store.orders.size === 1);
  const early = await post(`${url}/orders/sync`, goodOrder, withKey("k-1"));
  t.equal(early.status, 409);
  t.match(early.headers.get("retry-after"), /^\d+$/);
  t.match(await early.json(), { code: "IDEMPOTENCY_KEY_IN_USE", retryable: true });
  ledger.release();
  const text = await (await first).text();
  const later = await post(`${url}/orders/sync`, goodOrder, withKey("k-1"));
  t.equal(later.status, 200);
  t.equal(await later.text(), text);
  t.equal(later.headers.get("location"), `/orders/${JSON.parse(text).order_id}`);
  t.equal(ledger.entries.length, 1);
});

t.test("of ten at the same moment one runs; the rest are told to wait or told its answer", async (t) => {
  const { url, broker } = await startReceiver(t);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => post(`${url}/orders/async`, goodOrder, withKey("k-1"))),
  );
  t.same(
    answers.filter(({ status }) => status !== 202 && status !== 409),
    [],
  );
  t.equal(
    answers.filter(({ status, headers }) => status === 202 && !headers.has("idempotency-replayed")).length,
    1,
  );
  t.match(await broker.depth(), { visible: 1 });
});

t.test("refusals for what the request says stay", async (t) => {
  const { url } = await startReceiver(t);
  const first = await post(`${url}/orders/async`, { items: [] }, withKey("k-1"));
  const text = await first.text();
  const again = await post(`${url}/orders/async`, { items: [] }, withKey("k-1"));
  t.same([first.status, again.status], [422, 422]);
  t.equal(again.headers.get("idempotency-replayed"), "true");
  t.equal(again.headers.get("content-type"), "application/problem+json");
  t.equal(await again.text(), text);
});

t.test("failures that may pass do not stay, and the order's id does", async (t) => {
  const { url, broker } = await startReceiver(t);
  broker.cutOff(true);
  const failed = await post(`${url}/orders/async`, goodOrder, withKey("k-1"));
  t.equal(failed.status, 503);
  const { order_id } = (await failed.json()) as { order_id: string };
  t.match(order_id, UUID_V7);
  broker.cutOff(false);
  const answer = await post(`${url}/orders/async`, goodOrder, withKey("k-1"));
  t.equal(answer.status, 202);
  t.equal(answer.headers.get("idempotency-replayed"), null);
  t.match(await answer.json(), { order_id });
  t.same(await published(t, broker), [order_id]);
});

t.test("a synchronous order that was abandoned is paid when it is sent again", async (t) => {
  const ledger = new HeldLedger();
  const { url: paymentsUrl } = await startPayments(t, { concurrency: 1, ledger });
  const { url, store } = await startReceiver(t, { paymentsUrl });
  const ahead = post(`${url}/orders/sync`, { ...goodOrder, order_id: "ahead" });
  await waitFor("the first payment", () => ledger.recording === 1);
  const gone = new AbortController();
  const headers = { "content-type": "application/json", ...withKey("k-1") };
  const init = { method: "POST", body: JSON.stringify(goodOrder), headers };
  fetch(`${url}/orders/sync`, { ...init, signal: gone.signal }).catch(() => {});
  await waitFor("it to be begun", () => store.orders.size === 2);
  gone.abort();
  const id = [...store.orders.keys()][1] as string;
  await waitFor("it to be abandoned", async () => (await store.find(id))?.status === "abandoned");
  ledger.release();
  t.equal((await ahead).status, 200);
  const again = await waitFor("the key to be free", async () => {
    const answer = await fetch(`${url}/orders/sync`, init);
    return answer.status !== 409 && answer;
  });
  t.equal(again.status, 200);
  t.match(await again.json(), { order_id: id, status: "completed" });
  t.equal(ledger.entries.length, 2);
});

t.test("what is no key is 400 that names the header, and nothing is done", async (t) => {
  const { url, broker } = await startReceiver(t);
  for (const key of ["", " ", "a b", "a,b c", "é", "x".repeat(256)]) {
    const answer = await post(`${url}/orders/async`, goodOrder, withKey(key));
    t.equal(answer.status, 400, JSON.stringify(key));
    t.match(await answer.json(), { code: "BAD_REQUEST", header: "Idempotency-Key" });
  }
  t.match(await broker.depth(), { visible: 0 });
  for (const key of ["x".repeat(255), '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "!~"]) {
    t.equal((await post(`${url}/orders/async`, goodOrder, withKey(key))).status, 202, key);
  }
});

t.test("the database out: 503 with a key, accepted without one", async (t) => {
  const { url, keys, broker } = await startReceiver(t);
  keys.out = true;
  const refused = await post(`${url}/orders/async`, goodOrder, withKey("k-1"));
  t.equal(refused.status, 503);
  t.match(refused.headers.get("retry-after"), /^\d+$/);
  t.match(await refused.json(), { code: "DEPENDENCY_UNAVAILABLE", detail: /Idempotency-Key/ });
  t.equal((await post(`${url}/orders/async`, goodOrder)).status, 202);
  t.match(await broker.depth(), { visible: 1 });
});

t.test("the database out when the answer is to be kept: it is told, and kept later", async (t) => {
  const ledger = new HeldLedger();
  const { url: paymentsUrl } = await startPayments(t, { ledger });
  const { url, keys, store } = await startReceiver(t, { paymentsUrl });
  const answering = post(`${url}/orders/sync`, goodOrder, withKey("k-1"));
  await waitFor("it to be begun", () => store.orders.size === 1);
  keys.out = true;
  ledger.release();
  const first = await answering;
  t.equal(first.status, 200);
  keys.out = false;
  const again = await waitFor("the answer to be kept", async () => {
    const answer = await post(`${url}/orders/sync`, goodOrder, withKey("k-1"));
    return answer.status === 200 && answer;
  });
  t.equal(again.headers.get("idempotency-replayed"), "true");
  t.equal(await again.text(), await first.text());
});

t.test("the key of a receiver that was killed is taken over, with the order that it named", async (t) => {
  const { url, keys, store, broker } = await startReceiver(t);
  const body = JSON.stringify(goodOrder);
  await store.renew("another", 60);
  // As that one has taken it for the same request.
  const fingerprint = createHash("sha256").update(`POST /orders/async\n${body}`).digest("base64url");
  const taken = { key: "k-1", fingerprint, orderId: "first-attempt", instance: "another" };
  await keys.take({ ...taken, lockSeconds: 60, retentionSeconds: 60 });
  t.equal((await post(`${url}/orders/async`, goodOrder, withKey("k-1"))).status, 409);
  await store.end("another");
  const answer = await post(`${url}/orders/async`, goodOrder, withKey("k-1"));
  t.equal(answer.status, 202);
  t.match(await answer.json(), { order_id: "first-attempt" });
  t.same(await published(t, broker), ["first-attempt"]);
});

t.test("a body of ten thousand levels is refused as without a key", async (t) => {
  const { url } = await startReceiver(t);
  const body = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
  const headers = { "content-type": "application/json", ...withKey("k-1") };
  t.equal((await fetch(`${url}/orders/async`, { method: "POST", body, headers })).status, 422);
});
