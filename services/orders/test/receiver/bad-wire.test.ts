/** Orders that are wrong before their JSON is looked at: framing, kinds, encodings, routes, headers. */

import { gzipSync } from "node:zlib";
import t from "tap";
import { exchange, goodOrder, post, startReceiver } from "../helpers.ts";

const good = Buffer.from(JSON.stringify(goodOrder));
const LARGE = 10 * 1024 * 1024;

/** A POST of `body`, with its length unless `headers` say how it is framed. */
function order(headers: Record<string, string>, body: Buffer = good, path = "/orders/async"): Buffer {
  const all = { Host: "x", Connection: "close", "Content-Type": "application/json", ...headers };
  const framed = headers["Transfer-Encoding"] ?? headers["Content-Length"];
  const lines = Object.entries({
    ...all,
    ...(framed === undefined && { "Content-Length": String(body.length) }),
  })
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.replace(/#\d$/, "")}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"), body]);
}

const chunked = (body: Buffer) =>
  order(
    { "Transfer-Encoding": "chunked" },
    Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]),
  );
const text = (line: string, ...headers: string[]) =>
  Buffer.from([line, "Host: x", "Connection: close", ...headers, "", ""].join("\r\n"), "latin1");

const rows: Record<string, readonly [bytes: Buffer, status: number, code: string]> = {
  "no body": [text("POST /orders/async HTTP/1.1", "Content-Type: application/json"), 400, "BODY_MISSING"],
  "empty body": [order({}, Buffer.alloc(0)), 400, "BODY_MISSING"],
  "empty chunked body": [
    order({ "Transfer-Encoding": "chunked" }, Buffer.from("0\r\n\r\n")),
    400,
    "BODY_MISSING",
  ],
  "10 MB with its length": [order({}, Buffer.alloc(LARGE, "x")), 413, "BODY_TOO_LARGE"],
  "10 MB chunked": [chunked(Buffer.alloc(LARGE, "x")), 413, "BODY_TOO_LARGE"],
  "shorter than its length": [order({ "Content-Length": "5000" }), 400, "BAD_REQUEST"],
  "a chunk that does not end": [
    order({ "Transfer-Encoding": "chunked" }, Buffer.from("ff\r\n{")),
    400,
    "BAD_REQUEST",
  ],
  form: [order({ "Content-Type": "application/x-www-form-urlencoded" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
  "no content type": [order({ "Content-Type": "" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
  "content type that is none": [order({ "Content-Type": "json" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
  "content type of semicolons": [order({ "Content-Type": ";;;" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
  "target that is no URL": [text("GET http://[ HTTP/1.1"), 400, "BAD_REQUEST"],
  "unknown expectation": [order({ Expect: "banana" }), 417, "EXPECTATION_FAILED"],
  "no Host": [Buffer.from("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n"), 400, "BAD_REQUEST"],
  latin1: [order({ "Content-Type": "application/json; charset=latin1" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
  gzip: [order({ "Content-Encoding": "gzip" }, gzipSync(good)), 415, "UNSUPPORTED_MEDIA_TYPE"],
  "gzip that is none": [order({ "Content-Encoding": "gzip" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
  "invalid UTF-8": [order({}, Buffer.from('{"customer_id":"\xc3\x28"}', "latin1")), 400, "MALFORMED_BODY"],
  "UTF-16 with BOM": [order({}, Buffer.from(`\ufeff${good}`, "utf16le")), 400, "MALFORMED_BODY"],
  "unknown route": [order({}, good, "/orders/sink"), 405, "METHOD_NOT_ALLOWED"],
  "no route at all": [order({}, good, "/order"), 404, "ROUTE_NOT_FOUND"],
  "wrong method": [text("DELETE /orders/async HTTP/1.1"), 405, "METHOD_NOT_ALLOWED"],
  "method that is none": [text("BUY /orders/async HTTP/1.1"), 400, "BAD_REQUEST"],
  "percent garbage": [order({}, good, "/orders/%E0%A4%A/x"), 404, "ROUTE_NOT_FOUND"],
  "path of dots": [text("GET /orders/../../etc/passwd HTTP/1.1"), 404, "ROUTE_NOT_FOUND"],
  "two lengths": [
    order({ "Content-Length": String(good.length), "Content-Length#2": "1" }),
    400,
    "BAD_REQUEST",
  ],
  "length and chunks": [
    order({ "Content-Length": "5", "Transfer-Encoding": "chunked" }, Buffer.from("0\r\n\r\n")),
    400,
    "BAD_REQUEST",
  ],
  "header with a newline in it": [order({ "X-A": "a\nX-B: b\n\n" }), 400, "BAD_REQUEST"],
  "headers too large": [order({ "X-A": "x".repeat(20_000) }), 431, "HEADERS_TOO_LARGE"],
};

t.test("bad requests", async (t) => {
  const { url, port, broker } = await startReceiver(t);
  for (const [what, [bytes, status, code]] of Object.entries(rows)) {
    const answer = await exchange(port, bytes);
    t.equal(answer.status, status, what);
    t.match(answer.text.toLowerCase(), "\r\ncontent-type: application/problem+json\r\n", what);
    t.match(answer.text, `"code":"${code}"`, what);
  }
  t.match(await broker.depth(), { visible: 0 }, "nothing was published");
  t.equal((await post(`${url}/orders/async`, goodOrder)).status, 202);
});

t.test("what is unusual and right is accepted", async (t) => {
  const { port, broker } = await startReceiver(t);
  const fine = {
    chunked: chunked(good),
    "UTF-8 with BOM": order({}, Buffer.from(`\ufeff${good}`)),
    "charset in quotes": order({ "Content-Type": 'application/json; charset="UTF-8"' }),
    "a header twice": order({
      "X-Request-Id": "a",
      "X-Request-Id#2": "b",
      traceparent: "x",
      "traceparent#2": "y",
    }),
    "a content type twice": order({ "Content-Type#2": "text/plain" }),
    "a query": order({}, good, "/orders/async?x=%"),
  };
  for (const [what, bytes] of Object.entries(fine)) t.equal((await exchange(port, bytes)).status, 202, what);
  t.match(await broker.depth(), { visible: Object.keys(fine).length });
});
