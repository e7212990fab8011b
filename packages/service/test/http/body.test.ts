import { waitFor } from "@parallax/testkit";
import t from "tap";
import { jsonBody } from "../../src/index.ts";
import { parseResponse, rawSocket, serve, type Test } from "../helpers.ts";

const LIMIT = 1000;

function echo(t: Test) {
  return serve(t, (router) => {
    router.post("/echo", async (ctx) => {
      ctx.body = { got: await jsonBody(ctx, LIMIT) };
    });
  });
}

const json = { "content-type": "application/json" };

t.test("JSON comes through, however it is framed and named", async (t) => {
  const { url } = await echo(t);
  const kinds = ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'];
  for (const kind of [...kinds, "application/problem+json"]) {
    const response = await fetch(`${url}/echo`, {
      method: "POST",
      body: '{"a":"ü"}',
      headers: { "content-type": kind },
    });
    t.same(await response.json(), { got: { a: "ü" } }, kind);
  }
  const streamed = new ReadableStream({
    start(controller) {
      for (const part of ['{"a"', ":", "1}"]) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  const init = { method: "POST", body: streamed, headers: json, duplex: "half" } as RequestInit;
  t.same(await (await fetch(`${url}/echo`, init)).json(), { got: { a: 1 } }, "chunked");
});

t.test("the limit is the last size that is taken", async (t) => {
  const { url } = await echo(t);
  const post = (size: number) =>
    fetch(`${url}/echo`, { method: "POST", headers: json, body: `"${"x".repeat(size - 2)}"` });
  t.equal((await post(LIMIT)).status, 200);
  const refused = await post(LIMIT + 1);
  t.equal(refused.status, 413);
  t.match(await refused.json(), { code: "BODY_TOO_LARGE", detail: /1000 bytes/ });
});

const BAD: readonly [string, string | Uint8Array<ArrayBuffer>, Record<string, string>, number, string][] = [
  ["empty", "", json, 400, "BODY_MISSING"],
  ["no content type", new TextEncoder().encode("{}"), {}, 415, "UNSUPPORTED_MEDIA_TYPE"],
  ["another content type", "{}", { "content-type": "text/plain" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
  ["garbage content type", "{}", { "content-type": ";;=/" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
  [
    "another charset",
    "{}",
    { "content-type": "application/json;charset=latin1" },
    415,
    "UNSUPPORTED_MEDIA_TYPE",
  ],
  ["compressed", "{}", { ...json, "content-encoding": "gzip" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
  ["invalid UTF-8", new Uint8Array([0x22, 0xc3, 0x28, 0x22]), json, 400, "MALFORMED_BODY"],
  ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), json, 400, "MALFORMED_BODY"],
  ["not JSON", "{'a':1}", json, 400, "MALFORMED_BODY"],
  ["half of JSON", '{"a":', json, 400, "MALFORMED_BODY"],
];

for (const [what, body, headers, status, code] of BAD) {
  t.test(`${what} is refused with ${status}`, async (t) => {
    const { url } = await echo(t);
    const response = await fetch(`${url}/echo`, { method: "POST", body, headers });
    t.equal(response.status, status);
    t.equal(response.headers.get("content-type"), "application/problem+json");
    t.match(await response.json(), { code, status });
  });
}

t.test("no body at all is missing, by either framing", async (t) => {
  const { port } = await echo(t);
  for (const framing of ["X-None: 1\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]) {
    const head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    const response = parseResponse(await (await rawSocket(t, port, head + framing)).ended);
    t.equal(response.status, 400);
    t.match(response.body, "BODY_MISSING");
  }
});

const SIZE = 10 * 1024 * 1024;
const framings: Record<string, string> = {
  "Content-Length": `Content-Length: ${SIZE}\r\n\r\n${"x".repeat(SIZE)}`,
  chunked: `Transfer-Encoding: chunked\r\n\r\n${SIZE.toString(16)}\r\n${"x".repeat(SIZE)}\r\n0\r\n\r\n`,
};
const HEAD = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

for (const [framing, rest] of Object.entries(framings)) {
  t.test(`a sender of too much who looks up only at the end reads the answer: ${framing}`, async (t) => {
    const { port } = await echo(t);
    const raw = await rawSocket(t, port, `${HEAD}Connection: close\r\n${rest}`);
    const response = parseResponse(await raw.ended);
    t.equal(response.status, 413);
    t.equal(response.headers.get("content-type"), "application/problem+json");
    t.equal(response.headers.get("connection"), "close");
  });

  t.test(`a connection that is kept carries the next request after a refused body: ${framing}`, async (t) => {
    const { port } = await echo(t);
    const raw = await rawSocket(t, port, HEAD + rest);
    raw.socket.write(`${HEAD}Connection: close\r\nContent-Length: 2\r\n\r\n{}`);
    const answers = (await raw.ended).split("HTTP/1.1 ").map((answer) => answer.slice(0, 3));
    t.same(answers, ["", "413", "200"]);
  });

  t.test(`the same for a body of another kind and for a route that is not there: ${framing}`, async (t) => {
    const { port } = await echo(t);
    const heads = { 415: HEAD.replace("/json", "/xml"), 404: HEAD.replace("/echo", "/none") };
    for (const [status, head] of Object.entries(heads)) {
      const raw = await rawSocket(t, port, `${head}Connection: close\r\n${rest}`);
      t.equal(parseResponse(await raw.ended).status, Number(status));
    }
  });
}

t.test("while draining, the sender of too much reads the answer and the connection ends", async (t) => {
  const { app, port } = await echo(t);
  app.drain();
  const raw = await rawSocket(t, port, HEAD + framings["Content-Length"]);
  t.equal(parseResponse(await raw.ended).status, 413);
});

t.test("a refused sender who waits for the answer before sending gets it at once", async (t) => {
  const { port } = await echo(t);
  const raw = await rawSocket(t, port, `${HEAD}Content-Length: ${SIZE}\r\n\r\n`);
  await waitFor("the answer", () => raw.received.startsWith("HTTP/1.1 413"));
});

t.test("a body that stops short of its length is 400", async (t) => {
  const { port } = await echo(t);
  const raw = await rawSocket(t, port, `${HEAD}Content-Length: 100\r\n\r\n{"a":`);
  raw.socket.end();
  const response = parseResponse(await raw.ended);
  t.equal(response.status, 400);
  t.equal(response.headers.get("content-type"), "application/problem+json");
});
