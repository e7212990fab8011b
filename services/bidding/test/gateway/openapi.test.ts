/** The gateway's OpenAPI document: valid, complete, and true to the package it comes from. */

import { Validator } from "@seriousme/openapi-schema-validator";
import t from "tap";
import manifest from "../../package.json" with { type: "json" };
import { documentOf, startGateway } from "../gateway-helpers.ts";

t.test("OpenAPI 3.1, valid, with all that it serves", async (t) => {
  const document = await documentOf((await startGateway(t)).app);
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
  t.ok(valid, JSON.stringify(errors));
  t.match(document, {
    openapi: /^3\.1\./,
    info: { title: "@parallax/bidding gateway", version: manifest.version },
  });
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.same(
    new Set(described),
    new Set([
      "POST /auctions",
      "GET /auctions",
      "GET /auctions/{id}",
      "POST /auctions/{id}/bids",
      "GET /auctions/{id}/bids",
      "GET /health",
      "GET /health/live",
      "GET /health/ready",
      "GET /metrics",
      "GET /openapi.json",
    ]),
  );
});

t.test("every answer to a bid is described", async (t) => {
  const { paths } = (await documentOf((await startGateway(t)).app)) as unknown as {
    paths: Record<string, { post: { responses: Record<string, { headers: object }> } }>;
  };
  const responses = paths["/auctions/{id}/bids"]?.post.responses ?? {};
  for (const status of [201, 400, 404, 409, 410, 413, 415, 422, 503]) t.ok(responses[status], String(status));
  t.ok("Retry-After" in (responses[503]?.headers ?? {}));
});
