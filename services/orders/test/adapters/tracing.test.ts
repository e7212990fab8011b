/** What the adapters' spans say, above all when something fails. The whole trace is read in test/e2e/trace-of-an-order.test.ts. */

import { AsyncLocalStorage } from "node:async_hooks";
import { type Delivery, MemoryBroker } from "@parallax/messaging";
import { traceQueries } from "@parallax/postgres";
import {
  childSpan,
  newTrace,
  parseTraceparent,
  type Span,
  type SpanStart,
  type Tracing,
  traceparent,
} from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import type pg from "pg";
import t from "tap";
import { tracedBroker } from "../../src/adapters/tracing/traced-broker.ts";
import { tracedCall } from "../../src/adapters/tracing/traced-call.ts";

interface Recorded extends SpanStart {
  readonly context: Span["context"];
  readonly said: Record<string, unknown>;
  readonly failures: unknown[];
  ended: boolean;
}

/** Keeps spans instead of exporting them. */
function recorder(): Tracing & { readonly spans: readonly Recorded[] } {
  const storage = new AsyncLocalStorage<Span>();
  const spans: Recorded[] = [];
  return {
    spans,
    begin(start) {
      const context = start.parent ? childSpan(start.parent) : newTrace();
      const span: Recorded = { ...start, context, said: { ...start.attributes }, failures: [], ended: false };
      spans.push(span);
      return {
        context,
        set: (attributes) => Object.assign(span.said, attributes),
        rename: () => {},
        fail: (error) => span.failures.push(error),
        end: () => {
          span.ended = true;
        },
      };
    },
    within: (span, work) => storage.run(span, work),
    get active() {
      return storage.getStore();
    },
    countIn: () => {},
    stop: async () => {},
  };
}

const parent = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", sampled: true };

t.test("queries", async (t) => {
  const tracing = recorder();
  const syntaxError = Object.assign(new Error("syntax error"), { code: "42601" });
  const asked: unknown[] = [];
  const pool = {
    async query(...args: unknown[]) {
      asked.push(args);
      if (JSON.stringify(args).includes("wrong")) throw syntaxError;
      return { rows: [1] };
    },
  } as unknown as pg.Pool;
  traceQueries(pool, tracing, "postgres://user:hidden@db:6543/the%20base");

  t.same(await pool.query("select 1"), { rows: [1] });
  t.same(tracing.spans, [], "outside of a traced piece of work there is no span");
  const outer = tracing.begin({ name: "outer", kind: "server", parent, attributes: {} });
  await tracing.within(outer, async () => {
    await pool.query({ name: "find-it", text: "\n  select $1::text", values: ["a secret"] });
    await pool.query("select 2");
    await t.rejects(pool.query("wrong"), syntaxError);
  });
  t.equal(asked.length, 4, "each was asked once");
  const [, named, unnamed, failed] = tracing.spans;
  t.match(named, { name: "find-it", kind: "client", parent: outer.context, failures: [], ended: true });
  t.same(named?.said, {
    "db.system.name": "postgresql",
    "db.namespace": "the base",
    "server.address": "db",
    "server.port": 6543,
    "db.query.summary": "find-it",
    "db.query.text": "select $1::text",
  });
  t.equal(unnamed?.name, "select");
  t.match(failed, { failures: [syntaxError], ended: true });
  t.notMatch(JSON.stringify(tracing.spans), /secret|hidden/, "neither values nor credentials");
});

t.test("calls", async (t) => {
  const tracing = recorder();
  const request = {
    method: "DELETE",
    origin: "http://pay",
    path: "/payments/a%3Ab?attempt=1",
    order_id: "a:b",
  };
  const context = { traceparent: traceparent(parent), more: 1 };
  const sent: string[] = [];
  const call = (status: number) => async (given: typeof context) => {
    sent.push(given.traceparent);
    t.equal(given.more, 1);
    return { status };
  };
  await tracedCall(tracing, request, context, call(200));
  await tracedCall(tracing, request, context, call(503));
  const out = new Error("nobody there");
  await t.rejects(
    tracedCall(tracing, request, context, async () => {
      throw out;
    }),
    out,
  );
  const [good, refused, failed] = tracing.spans;
  t.match(good, { name: "DELETE /payments/{order_id}", kind: "client", parent, failures: [], ended: true });
  t.match(good?.said, { "http.response.status_code": 200, "server.port": 80, "parallax.order_id": "a:b" });
  t.same(parseTraceparent(sent[0])?.spanId, good?.context.spanId, "the span's own trace is sent along");
  t.match(refused, { failures: ["503"], ended: true });
  t.match(failed, { failures: [out], ended: true });
});

t.test("messages", async (t) => {
  const tracing = recorder();
  const inner = new MemoryBroker();
  await using broker = tracedBroker(inner, {
    tracing,
    publishes: { system: "one", name: "topic" },
    consumes: { system: "two", name: "queue" },
  });
  const order = JSON.stringify({ order: { order_id: "o-1" } });
  const delivered: Delivery[] = [];
  const active: (string | undefined)[] = [];
  const consumer = broker.consume(
    async (delivery) => {
      delivered.push(delivery);
      active.push(tracing.active?.context.spanId);
    },
    { concurrency: 1 },
  );
  t.teardown(() => consumer.stop(1000));
  const ended = (kind: string) => tracing.spans.filter((span) => span.kind === kind && span.ended);
  await broker.publish({ body: order, attributes: { traceparent: traceparent(parent), other: "kept" } });
  await waitFor("the delivery", () => ended("consumer").length === 1);
  await inner.publish({ body: "no JSON", attributes: {} });
  await waitFor("the other delivery", () => ended("consumer").length === 2);

  const [producer] = ended("producer");
  const [first, second] = ended("consumer");
  t.match(producer, { name: "send topic", parent, failures: [] });
  t.match(producer?.said, { "messaging.system": "one", "parallax.order_id": "o-1" });
  t.match(first, { name: "process queue", parent: producer?.context });
  t.match(first?.said, {
    "messaging.system": "two",
    "parallax.delivery_count": 1,
    "parallax.order_id": "o-1",
  });
  t.match(delivered[0], { body: order, attributes: { other: "kept" } });
  t.same(active, [first?.context.spanId, second?.context.spanId], "it is handled inside its span");
  t.equal(second?.parent, undefined, "without a traceparent a new trace begins");
  t.notHas(second?.said, { "parallax.order_id": "o-1" });

  t.equal(broker.kind, inner.kind);
  t.match(await broker.depth(), { deadLettered: 0 });
  t.same(await broker.deadLetters(10), []);
  t.same(await broker.redrive(), { moved: 0 });
  await broker.prepare();
  await broker.check();
});
