import type { MemoryBroker } from "@parallax/messaging";
import { parseTraceparent } from "@parallax/service";
import t from "tap";
import { fingerprint } from "../../src/domain/order.ts";
import { decodeOrder } from "../../src/domain/order-message.ts";
import { goodOrder, post, startReceiver, type Test } from "../helpers.ts";

/** What the broker holds, handed over as a consumer would see it. */
async function published(t: Test, broker: MemoryBroker) {
  const got = Promise.withResolvers<{ body: string; attributes: Readonly<Record<string, string>> }>();
  const consumer = broker.consume(async (delivery) => got.resolve(delivery), { concurrency: 1 });
  t.teardown(() => consumer.stop(0));
  const { body, attributes } = await got.promise;
  return { order: decodeOrder(body), attributes };
}

t.test("202: the order's own id is kept, it is published once and said where to look", async (t) => {
  const { url, broker, metrics } = await startReceiver(t);
  const response = await post(`${url}/orders/async`, { ...goodOrder, order_id: "my-order:1" });
  t.equal(response.status, 202);
  t.equal(response.headers.get("location"), "/orders/my-order:1");
  t.same(await response.json(), { order_id: "my-order:1", status: "accepted" });
  t.match(await broker.depth(), { visible: 1, inFlight: 0 });
  const { order } = await published(t, broker);
  t.match(order, { ...goodOrder, order_id: "my-order:1", total_minor: 3998 });
  t.match(await metrics.registry.metrics(), /orders_accepted_total\{service="receiver"\} 1/);
});

t.test("without an id a UUIDv7 is made, another for every order", async (t) => {
  const { url } = await startReceiver(t);
  const began = Date.now();
  const answers = await Promise.all(Array.from({ length: 5 }, () => post(`${url}/orders/async`, goodOrder)));
  const ids: string[] = [];
  for (const answer of answers) ids.push(((await answer.json()) as { order_id: string }).order_id);
  t.equal(new Set(ids).size, 5);
  for (const id of ids) {
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const at = Number.parseInt(id.replace("-", "").slice(0, 12), 16);
    t.ok(at >= began && at <= Date.now(), "made now");
  }
});

t.test("the trace of the request travels with the message", async (t) => {
  const { url, broker } = await startReceiver(t);
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  await post(`${url}/orders/async`, goodOrder, { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
  const { attributes } = await published(t, broker);
  t.match(parseTraceparent(attributes.traceparent), { traceId, sampled: true });
});

t.test(
  "while the broker is out: 503 with Retry-After, nothing published, not ready; then as before",
  async (t) => {
    const { url, broker } = await startReceiver(t);
    broker.cutOff(true);
    const refused = await post(`${url}/orders/async`, goodOrder);
    t.equal(refused.status, 503);
    t.equal(refused.headers.get("retry-after"), "2");
    t.match(await refused.json(), { code: "DEPENDENCY_UNAVAILABLE", retryable: true });
    const ready = await fetch(`${url}/health/ready`);
    t.equal(ready.status, 503);
    t.match(await ready.json(), { checks: { broker: "not ok: BROKER_UNAVAILABLE", database: "ok" } });
    broker.cutOff(false);
    t.match(await broker.depth(), { visible: 0 });
    t.equal((await post(`${url}/orders/async`, goodOrder)).status, 202);
    t.match(await broker.depth(), { visible: 1 });
  },
);

t.test("GET /orders/:id: 404 while unknown, then processing, then completed", async (t) => {
  const { url, store, broker } = await startReceiver(t);
  await post(`${url}/orders/async`, { ...goodOrder, order_id: "o-1" });
  const { order } = await published(t, broker);
  const unknown = await fetch(`${url}/orders/o-1`);
  t.equal(unknown.status, 404);
  t.equal(unknown.headers.get("content-type"), "application/problem+json");
  t.match(await unknown.json(), { code: "NOT_FOUND" });

  await store.begin(order, fingerprint(order));
  const processing = await fetch(`${url}/orders/o-1`);
  t.equal(processing.headers.get("cache-control"), "no-store");
  t.match(await processing.json(), { order_id: "o-1", status: "processing", total_minor: 3998, attempts: 1 });

  const charged_at = new Date().toISOString();
  await store.complete({ charge_id: "c-1", order_id: "o-1", amount_minor: 3998, charged_at });
  t.match(await (await fetch(`${url}/orders/o-1`)).json(), { status: "completed", charge_id: "c-1" });
});

t.test("an id that can be no order's is 404 too, whatever it is made of", async (t) => {
  const { url } = await startReceiver(t);
  for (const id of [
    "%00",
    "a%2Fb",
    "%0A",
    "%",
    "%E0%A4%A",
    "..%2f",
    "x".repeat(65),
    "%F0%9F%99%82",
    "a%20b",
  ]) {
    const response = await fetch(`${url}/orders/${id}`);
    t.equal(response.status, 404, id);
    t.equal(response.headers.get("content-type"), "application/problem+json", id);
  }
});

t.test("while the database is out: asking is 503, orders are accepted all the same", async (t) => {
  const { url, store } = await startReceiver(t);
  store.out = true;
  t.equal((await fetch(`${url}/orders/o-1`)).status, 503);
  t.equal((await post(`${url}/orders/async`, goodOrder)).status, 202);
});
