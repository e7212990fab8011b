/** The pages, their headers, and the OpenAPI document. */

import { readdir } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import t from "tap";
import { request } from "undici";
import { anAuction, startBroadcaster } from "./stage.ts";

const HTML = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const pages = new URL("../../src/broadcaster/page/", import.meta.url);

t.test("a browser gets pages, whoever asks for JSON gets the gateway's answer", async (t) => {
  const { url } = await startBroadcaster(t);
  for (const path of ["/", "/auctions", `/auctions/${anAuction().auctionId}`]) {
    const page = await fetch(url + path, { headers: HTML });
    t.equal(page.status, 200, path);
    t.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    t.match(await page.text(), /^<!doctype html>/);
    if (path === "/") continue;
    t.equal(page.headers.get("vary"), "Accept");
    for (const accept of ["application/json", "*/*"]) {
      const answer = await fetch(url + path, { headers: { accept } });
      t.equal(answer.status, 503, "there is no gateway");
      t.equal(answer.headers.get("content-type"), "application/problem+json");
    }
  }
});

t.test("no page may run what does not come from here, nor be framed", async (t) => {
  const { url } = await startBroadcaster(t);
  const { headers } = await fetch(url, { headers: HTML });
  const policy = headers.get("content-security-policy") ?? "";
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]) {
    t.ok(policy.split("; ").includes(part), part);
  }
  t.notMatch(policy, /unsafe/);
  t.equal(headers.get("x-content-type-options"), "nosniff");
  t.equal(headers.get("referrer-policy"), "no-referrer");
});

t.test("every file of the page is served, and is not sent again while it is the same", async (t) => {
  const { url } = await startBroadcaster(t);
  const names = await readdir(pages);
  t.ok(names.length >= 4);
  for (const name of names) {
    const first = await fetch(`${url}/assets/${name}`);
    t.equal(first.status, 200, name);
    t.equal(first.headers.get("x-content-type-options"), "nosniff");
    t.equal(first.headers.get("cache-control"), "no-cache");
    t.ok((await first.bytes()).length > 0);
    const tag = first.headers.get("etag") ?? "";
    // Not by fetch: with a tag of the caller's own it asks for what no cache has.
    const asked = (tag: string) => request(`${url}/assets/${name}`, { headers: { "if-none-match": tag } });
    const again = await asked(tag);
    t.equal(again.statusCode, 304, name);
    t.equal(await again.body.text(), "");
    const other = await asked('"other"');
    t.equal(other.statusCode, 200);
    await other.body.dump();
  }
});

t.test("nothing else is", async (t) => {
  const { url } = await startBroadcaster(t);
  for (const name of ["app.ts", "..%2fapp.ts", "%2e%2e/app.ts", "..%5capp.ts", "constructor", "%00", ""]) {
    const { status } = await fetch(`${url}/assets/${name}`);
    t.equal(status, 404, name);
  }
});

t.test("OpenAPI 3.1, valid, with all that it serves and what the WebSocket speaks", async (t) => {
  const { document } = await startBroadcaster(t);
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
  t.ok(valid, JSON.stringify(errors));
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.same(
    new Set(described),
    new Set([
      "GET /",
      "GET /assets/{file}",
      "GET /auctions",
      "GET /auctions/{id}",
      "POST /auctions/{id}/bids",
      "GET /auctions/{id}/bids",
      "GET /auctions/{id}/live",
      ...["GET /health", "GET /health/live", "GET /health/ready", "GET /metrics", "GET /openapi.json"],
    ]),
  );
  t.match(document, {
    openapi: /^3\.1\./,
    info: { title: "@parallax/bidding broadcaster", description: /snapshot.*price.*ended.*tick/s },
  });
});
