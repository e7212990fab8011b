/** The OpenAPI documents: valid, complete, true to the package they come from, and made once. */

import { MemoryBroker } from "@parallax/messaging";
import { type App, createMetrics, listen } from "@parallax/service";
import { silentLogger } from "@parallax/testkit";
import { Validator } from "@seriousme/openapi-schema-validator";
import t from "tap";
import manifest from "../package.json" with { type: "json" };
import { MemoryOrderStore } from "../src/adapters/memory-order-store.ts";
import { createProcessorApp } from "../src/processor/app.ts";
import { documentOf, startPayments, startReceiver, type Test } from "./helpers.ts";

const common = ["GET /health", "GET /health/live", "GET /health/ready", "GET /metrics", "GET /openapi.json"];

const parts: Record<string, readonly string[]> = {
  receiver: ["POST /orders/async", "POST /orders/sync", "GET /orders/{id}"],
  payments: [
    "POST /payments",
    "DELETE /payments/{id}",
    "GET /ledger",
    "GET /ledger/summary",
    "GET /ledger/{id}",
  ],
  processor: [],
};

const start: Record<string, (t: Test) => Promise<App>> = {
  receiver: async (t) => (await startReceiver(t)).app,
  payments: async (t) => (await startPayments(t)).app,
  processor: async () =>
    createProcessorApp({
      broker: new MemoryBroker(),
      store: new MemoryOrderStore(),
      logger: silentLogger(),
      metrics: createMetrics("processor"),
    }),
};

for (const [part, operations] of Object.entries(parts)) {
  t.test(`${part}: OpenAPI 3.1, valid, with all that it serves`, async (t) => {
    const document = await documentOf((await start[part]?.(t)) as App);
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    t.ok(valid, JSON.stringify(errors));
    t.match(document, {
      openapi: /^3\.1\./,
      info: { title: `@parallax/orders ${part}`, version: manifest.version },
    });
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    t.same(new Set(described), new Set([...operations, ...common]));
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map((operation) => (operation as { operationId?: string }).operationId),
    );
    t.equal(new Set(ids).size, described.length, "each operation has an id of its own");
  });
}

t.test("every route that is served is described", async (t) => {
  // What koa-router knows, against what the document says: the two are made from one table.
  for (const part of Object.keys(parts)) {
    const app = (await start[part]?.(t)) as App;
    const { paths } = await documentOf(app);
    const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
    t.teardown(() => server.close(0));
    for (const [path, item] of Object.entries(paths)) {
      const url = server.url + path.replaceAll(/\{\w+\}/g, "x");
      for (const method of ["get", "post", "put", "patch", "delete"]) {
        const answer = await fetch(url, { method: method.toUpperCase() });
        await answer.arrayBuffer();
        // An order may have the id "async": that, too, is a path of the document.
        const isDescribed = method in item || (method === "get" && /^\/orders\/\w+$/.test(path));
        t.equal(answer.status !== 405, isDescribed, `${part}: ${method} ${path} is ${answer.status}`);
      }
    }
  }
});

t.test("the headers that matter are described", async (t) => {
  const { paths } = (await documentOf((await startReceiver(t)).app)) as unknown as {
    paths: Record<"/orders/async" | "/orders/sync", { post: Described }>;
  };
  for (const path of ["/orders/async", "/orders/sync"] as const) {
    const { parameters, responses } = paths[path].post;
    const names = parameters.map(({ name }) => name);
    t.same(new Set(names), new Set(["traceparent", "X-Request-Id", "Idempotency-Key"]));
    const success = responses[200] ?? responses[202];
    t.equal(success?.headers.Location?.required, true);
    t.ok(success?.headers["Idempotency-Replayed"]);
    for (const status of [409, 503]) t.ok(responses[status]?.headers["Retry-After"], `${path} ${status}`);
  }
});

interface Described {
  readonly parameters: readonly { name: string }[];
  readonly responses: Record<string, { headers: Record<string, { required?: boolean }> }>;
}

t.test("the document is made once", async (t) => {
  const { url } = await startReceiver(t);
  const [one, another] = await Promise.all([fetch(`${url}/openapi.json`), fetch(`${url}/openapi.json`)]);
  t.equal(one.headers.get("content-type"), "application/json; charset=utf-8");
  t.equal(await one.text(), await another.text());
});
