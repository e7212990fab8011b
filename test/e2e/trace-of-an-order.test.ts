/**
 * One order's trace, from its customer's request to Postgres, read from what a collector received: through each broker, and
 * while the customer waits. Without a collector's address nothing is traced.
 */

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type CollectorAnswer, startTraceCollector, type TraceCollector, waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { rootDir } from "../../lab/src/paths.ts";
import { type OwnLab, ownLab } from "../lib/own-lab.ts";
import { traceTree } from "../lib/trace-tree.ts";

t.setTimeout(600_000);

const CUSTOMER = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const SETTLE_MS = 60_000;
const services = ["orders-receiver", "orders-payments", "orders-processor"];

/** A lab of its own, whose services send their traces to `url`. */
async function tracedLab(t: Test, url: string, env: Record<string, string> = {}) {
  return await ownLab(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    PAYMENT_SECONDS: "0.05",
    VISIBILITY_TIMEOUT_SECONDS: "2",
    ...env,
  });
}

/** @param traceId of the customer, whose request carries a traceparent */
async function place(
  { settings }: OwnLab,
  way: "sync" | "async",
  order_id: string,
  traceId: string,
  customer_id = "c",
) {
  const answer = await fetch(`http://127.0.0.1:${settings.ports.ordersReceiver}/orders/${way}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      traceparent: `00-${traceId}-${CUSTOMER.spanId}-01`,
    },
    body: JSON.stringify({ order_id, customer_id, items: [{ product_id: "p", quantity: 1, price: 2.5 }] }),
  });
  return { status: answer.status, body: await answer.text() };
}

/** All spans of the trace, once there are `count`. */
async function traceOf({ spans }: TraceCollector, traceId: string, count: number) {
  const found = () => spans.filter((span) => span.traceId === traceId);
  await waitFor(`${count} spans of ${traceId}`, () => found().length >= count, SETTLE_MS).catch((error) => {
    throw new Error(JSON.stringify(traceTree(found(), CUSTOMER.spanId), null, 2), { cause: error });
  });
  return found();
}

/** The log lines of a service that belong to the trace. */
async function linesOf({ directory }: OwnLab, service: string, traceId: string, count: number) {
  return await waitFor(
    `${count} lines of ${service}`,
    async () => {
      const log = await readFile(join(directory, "logs", `${service}.log`), "utf8");
      const lines = log.split("\n").filter((line) => line.startsWith("{") && line.includes(traceId));
      return lines.length >= count && lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    SETTLE_MS,
  );
}

const paying = [
  "payments server POST /payments",
  ["payments client standing-charge", "payments client record-charge"],
];

for (const [broker, publishes, consumes] of [
  [
    "sns-sqs",
    { "messaging.system": "aws.sns", "messaging.destination.name": "order-processing-events" },
    { "messaging.system": "aws_sqs", "messaging.destination.name": "order-processing-queue" },
  ],
  [
    "bullmq",
    { "messaging.system": "bullmq", "messaging.destination.name": "order-processing-queue" },
    { "messaging.system": "bullmq", "messaging.destination.name": "order-processing-queue" },
  ],
] as const) {
  t.test(`orders through ${broker}`, async (t) => {
    let answer: CollectorAnswer = 200;
    await using collector = await startTraceCollector(() => answer);
    const lab = await tracedLab(t, collector.url, { BROKER: broker, PAYMENT_CONCURRENCY: "0" });
    const { traceId } = CUSTOMER;
    t.match(await place(lab, "async", "o-1", traceId), { status: 202 });
    const spans = await traceOf(collector, traceId, 9);

    t.same(traceTree(spans, CUSTOMER.spanId), [
      "receiver server POST /orders/async",
      [
        `receiver producer send ${publishes["messaging.destination.name"]}`,
        [
          `processor consumer process ${consumes["messaging.destination.name"]}`,
          [
            "processor client begin-order",
            "processor client POST /payments",
            paying,
            "processor client complete-order",
          ],
        ],
      ],
    ]);
    t.equal(spans.length, 9, "and no other span");
    t.notOk(spans.some(({ failed }) => failed));
    const named = (name: string, kind?: string) =>
      spans.find((span) => span.name.startsWith(name) && (kind === undefined || span.kind === kind));
    t.match(named("POST /orders/async")?.attributes, {
      "http.request.method": "POST",
      "http.route": "/orders/async",
      "http.response.status_code": 202,
      "url.path": "/orders/async",
      "url.scheme": "http",
      "parallax.order_id": "o-1",
    });
    t.match(named("send")?.attributes, {
      ...publishes,
      "messaging.operation.type": "send",
      "parallax.order_id": "o-1",
    });
    t.match(named("process")?.attributes, {
      ...consumes,
      "messaging.operation.type": "process",
      "messaging.message.id": /./,
      "parallax.delivery_count": 1,
      "parallax.order_id": "o-1",
    });
    t.match(named("POST /payments", "client")?.attributes, {
      "http.request.method": "POST",
      "http.response.status_code": 201,
      "server.address": "127.0.0.1",
      "server.port": lab.settings.ports.ordersPayments,
      "url.template": "/payments",
      "parallax.order_id": "o-1",
    });
    t.match(named("POST /payments", "server")?.attributes, { "parallax.order_id": "o-1" });
    t.match(named("complete-order")?.attributes, {
      "db.system.name": "postgresql",
      "db.namespace": /./,
      "db.query.summary": "complete-order",
      "db.query.text": /insert into orders\.payments/,
      "server.port": lab.settings.ports.postgres,
    });

    await t.test("the ids in the log are those of the spans", async (t) => {
      for (const [service, msg, name, kind] of [
        ["orders-receiver", "request", "POST /orders/async", "server"],
        ["orders-processor", "order processed", "process", "consumer"],
        ["orders-payments", "request", "POST /payments", "server"],
      ] as const) {
        const lines = await linesOf(lab, service, traceId, 1);
        const line = lines.find((each) => each.msg === msg);
        t.match(line, { span_id: named(name, kind)?.spanId, order_id: "o-1" }, `${service}: ${msg}`);
      }
    });

    await t.test("each delivery of one message is a span of its own, below the publishing", async (t) => {
      // Another order by the same id can never be processed: it is delivered until it is dead-lettered.
      const other = "1af7651916cd43dd8448eb211c80319c";
      t.match(await place(lab, "async", "o-1", other, "somebody else"), { status: 202 });
      const deliveries = 5;
      const trace = await traceOf(collector, other, 2 + 2 * deliveries);
      const producer = trace.find(({ kind }) => kind === "producer");
      const consumers = trace
        .filter(({ kind }) => kind === "consumer")
        .toSorted((a, b) => a.startMs - b.startMs);
      t.same(
        consumers.map(({ attributes }) => attributes["parallax.delivery_count"]),
        [1, 2, 3, 4, 5],
      );
      t.equal(new Set(consumers.map(({ spanId }) => spanId)).size, deliveries);
      t.ok(consumers.every(({ parentSpanId }) => parentSpanId === producer?.spanId));
      t.ok(consumers.every(({ attributes }) => attributes["error.type"] === "PERMANENT_FAILURE"));
      t.match(consumers[0], {
        failed: true,
        exceptions: [{ type: "PERMANENT_FAILURE", message: "Another order has the id o-1" }],
      });
    });

    // What follows has no broker in it, or any: once will do.
    if (broker === "bullmq") {
      await t.test(
        "a collector that takes nothing any more disturbs neither orders nor the end",
        async (t) => {
          answer = "hang";
          await ordersGoThrough(t, lab, collector);
          await partsEndInGoodOrder(t, lab);
        },
      );
      return;
    }
    await t.test("an order that is paid while its customer waits", async (t) => {
      const waiting = "2af7651916cd43dd8448eb211c80319c";
      t.match(await place(lab, "sync", "o-2", waiting), { status: 200, body: /"completed"/ });
      const trace = await traceOf(collector, waiting, 8);
      t.same(traceTree(trace, CUSTOMER.spanId), [
        "receiver server POST /orders/sync",
        [
          "receiver client begin-order",
          "receiver client POST /payments",
          paying,
          "receiver client complete-order",
          "receiver client find-order",
        ],
      ]);
      t.equal(trace.length, 8, "and no other span");
      const [line] = await linesOf(lab, "orders-receiver", waiting, 1);
      t.match(line, {
        span_id: trace.find(({ kind, service }) => kind === "server" && service === "orders-receiver")
          ?.spanId,
      });
    });

    await t.test("a caller that does not sample is not traced", async (t) => {
      const unsampled = "3af7651916cd43dd8448eb211c80319c";
      const url = `http://127.0.0.1:${lab.settings.ports.ordersReceiver}/orders/o-1`;
      const find = async (trace: string, flags: string) =>
        (await fetch(url, { headers: { traceparent: `00-${trace}-${CUSTOMER.spanId}-${flags}` } })).status;
      t.equal(await find(unsampled, "00"), 200);
      const sampled = "4af7651916cd43dd8448eb211c80319c";
      t.equal(await find(sampled, "01"), 200);
      t.same(traceTree(await traceOf(collector, sampled, 2), CUSTOMER.spanId), [
        "receiver server GET /orders/:id",
        ["receiver client find-order"],
      ]);
      t.notOk(
        collector.spans.some((span) => span.traceId === unsampled),
        "though it ended before",
      );
      const [line] = await linesOf(lab, "orders-receiver", unsampled, 1);
      t.match(line, { msg: "request", span_id: /^[0-9a-f]{16}$/ });
    });

    await t.test("what the services do by themselves is not traced", async (t) => {
      const traces = new Set(collector.spans.map((span) => span.traceId));
      t.ok([...traces].every((id) => /^[0-4]af7651916cd43dd8448eb211c80319c$/.test(id)));
    });
  });
}

async function ordersGoThrough(t: Test, lab: OwnLab, collector: TraceCollector): Promise<void> {
  const before = collector.requests;
  const ids = ["h-1", "h-2", "h-3"];
  for (const id of ids) t.match(await place(lab, "async", id, CUSTOMER.traceId), { status: 202 });
  t.match(await place(lab, "sync", "h-4", CUSTOMER.traceId), { status: 200, body: /"completed"/ });
  for (const id of ids) {
    const url = `http://127.0.0.1:${lab.settings.ports.ordersReceiver}/orders/${id}`;
    const completed = async () => (await (await fetch(url)).text()).includes('"completed"');
    await waitFor(`${id} to be completed`, completed, SETTLE_MS);
  }
  await waitFor("exports to hang", () => collector.requests >= before + services.length, SETTLE_MS);
}

async function partsEndInGoodOrder(t: Test, lab: OwnLab): Promise<void> {
  const began = performance.now();
  await lab.runtime.down();
  t.comment(`the lab ended in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  for (const service of services) {
    const lines = (await readFile(join(lab.directory, "logs", `${service}.log`), "utf8"))
      .trimEnd()
      .split("\n");
    t.match(JSON.parse(lines.at(-1) ?? ""), { msg: "stopped" }, `${service} was not forced to end`);
    const { unsent, failed } = JSON.parse(lines.find((line) => line.includes('"traces ended"')) ?? "{}");
    t.ok(unsent + failed > 0, `${service} ended without some of its spans`);
  }
}

t.test("off by default: no part of orders loads the SDK", async (t) => {
  const parts = ["receiver/app.ts", "receiver/config.ts", "processor/worker-pool.ts", "payments/app.ts"];
  const adapters = ["postgres-order-store.ts", "broker-environment.ts", "http-payment-provider.ts"];
  const files = [...parts, ...adapters.map((name) => `adapters/${name}`)];
  const told = join(rootDir, "packages", "service", "test", "fixtures", "told-modules.ts");
  const load = async (modules: readonly string[]) => {
    const script = modules.map((module) => `await import(${JSON.stringify(module)});`).join("\n");
    const child = spawn(process.execPath, ["--import", told, "--input-type=module", "-e", script]);
    const [stderr] = await Promise.all([text(child.stderr), text(child.stdout)]);
    return stderr;
  };
  t.equal(await load(files.map((name) => join(rootDir, "services", "orders", "src", name))), "");
  const tracing = join(rootDir, "packages", "service", "src", "telemetry", "otlp-tracing.ts");
  t.match(await load([tracing]), /^loaded .*sdk-trace/m, "it would have been told");
});
