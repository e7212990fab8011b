/** The document made from a table of operations, and what a witness says of answers that are not true to it. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type OpenApi, silentLogger, witnessAnswers } from "@parallax/testkit";
import t from "tap";
import { z } from "zod";
import { createApp, createMetrics, defineApi, listen, NotFound, type Operation } from "../../src/index.ts";
import type { Test } from "../helpers.ts";

const about = { title: "test", version: "1.2.3", description: "For tests." };

const findThing: Operation = {
  method: "get",
  path: "/things/{id}",
  id: "findThing",
  summary: "A thing",
  params: z.object({ id: z.string() }),
  answers: {
    200: {
      description: "It.",
      schema: z.object({ id: z.string() }),
      headers: { Location: z.string() },
    },
  },
  problems: [NotFound],
  handle(ctx) {
    ctx.set("Location", "/elsewhere");
    ctx.body = { id: ctx.params.id };
  },
};

/** As much of a document as is looked at here. */
type Document = OpenApi & {
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, DescribedResponse> }>>;
};

interface DescribedResponse {
  readonly description: string;
  readonly content: Record<string, unknown>;
  readonly headers: Record<string, { readonly required?: boolean }>;
  readonly "x-problem-codes"?: readonly string[];
}

async function serveApi(t: Test, operations: readonly Operation[]) {
  const { router, document } = defineApi(about, operations);
  const app = createApp({
    logger: silentLogger(),
    metrics: createMetrics("test"),
    router,
    document,
    readiness: [],
  });
  const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.close(0));
  const answer = await fetch(`${server.url}/openapi.json`);
  return { url: server.url, document: (await answer.json()) as Document };
}

t.test("an operation is served and described; so is what every service answers", async (t) => {
  const { url, document } = await serveApi(t, [findThing]);
  t.same(await (await fetch(`${url}/things/a`)).json(), { id: "a" });
  t.match(document, { openapi: "3.1.0", info: about });
  const responses = document.paths["/things/{id}"]?.get?.responses ?? {};
  t.same(Object.keys(responses), ["200", "400", "404", "408", "417", "431", "500", "503"]);
  t.same(responses[404]?.["x-problem-codes"], ["NOT_FOUND"]);
  t.match(responses[404]?.description, /NOT_FOUND.*There is no such thing/);
  t.equal(responses[200]?.headers.Location?.required, true);
  for (const path of ["/health", "/health/live", "/health/ready", "/metrics", "/openapi.json"]) {
    t.ok(document.paths[path]?.get, path);
  }
});

t.test("a service without a document serves none", async (t) => {
  const { router } = defineApi(about, [findThing]);
  const app = createApp({
    logger: silentLogger(),
    metrics: createMetrics("test"),
    router,
    readiness: [],
  });
  const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.close(0));
  t.equal((await fetch(`${server.url}/openapi.json`)).status, 404);
});

type Row = readonly [
  what: string,
  status: number,
  headers: Record<string, string>,
  body: string,
  untrue: RegExp[],
];

const json = { "content-type": "application/json" };
const good = { ...json, location: "/x" };
const problem = {
  type: "urn:parallax:problem:not-found",
  title: "t",
  status: 404,
  detail: "d",
  code: "NOT_FOUND",
  retryable: false,
};
const problemKind = { "content-type": "application/problem+json" };

const rows: readonly Row[] = [
  ["a true answer", 200, good, '{"id":"a"}', []],
  ["a status that is not listed", 201, good, '{"id":"a"}', [/status is not listed/]],
  ["a kind that is not listed", 200, { ...good, "content-type": "text/plain" }, "a", [/kind text\/plain/]],
  ["a field that is missing", 200, good, "{}", [/does not match.*id/]],
  ["a field that is not described", 200, good, '{"id":"a","secret":1}', [/does not match/]],
  ["a header that is missing", 200, json, '{"id":"a"}', [/header Location is missing/]],
  [
    "a header that is not described",
    200,
    { ...good, "retry-after": "1" },
    '{"id":"a"}',
    [/retry-after is not/],
  ],
  ["a true problem", 404, problemKind, JSON.stringify({ ...problem, more: 1 }), []],
  [
    "a code that is not listed",
    404,
    problemKind,
    JSON.stringify({ ...problem, code: "GONE" }),
    [/code GONE/],
  ],
  ["half of a problem", 404, problemKind, '{"code":"NOT_FOUND"}', [/does not match/]],
];

t.test("a witness tells what is not true", async (t) => {
  const { document } = await serveApi(t, [findThing]);
  for (const [what, status, headers, body, expected] of rows) {
    const witness = witnessAnswers((_request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.statusCode = status;
      response.end(body);
    }, document);
    const server = createServer(witness.listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await (await fetch(`${url}/things/a`)).arrayBuffer();
    await new Promise((resolve) => server.close(resolve));
    t.equal(witness.answers, 1, what);
    t.equal(witness.untrue.length, expected.length, `${what}: ${witness.untrue.join("; ")}`);
    for (const pattern of expected) t.match(witness.untrue[0], pattern, what);
  }
});
