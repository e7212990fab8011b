import { once } from "node:events";
import { Agent, get, type IncomingMessage, type RequestListener } from "node:http";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import type { ListenOptions } from "../../src/http/server.ts";
import { type HttpServer, listen } from "../../src/index.ts";
import { parseResponse, rawSocket, type Test } from "../helpers.ts";

async function start(
  t: Test,
  callback: RequestListener,
  options: Partial<ListenOptions> = {},
): Promise<HttpServer> {
  const server = await listen(callback, { host: "127.0.0.1", port: 0, ...options });
  t.teardown(() => server.close(0));
  return server;
}

const hello: RequestListener = (_request, response) => response.end("hello");

/** A handler that answers when it is told to. */
function held() {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const callback: RequestListener = async (_request, response) => {
    entered.resolve();
    await release.promise;
    response.end("done");
  };
  return { callback, entered: entered.promise, release: release.resolve };
}

t.test("the address that was bound is told, port 0 and IPv6 too; a taken one rejects", async (t) => {
  const server = await start(t, hello);
  t.ok(server.port > 0);
  t.equal(await (await fetch(server.url)).text(), "hello");
  await t.rejects(listen(hello, { host: "127.0.0.1", port: server.port }), { code: "EADDRINUSE" });
});

t.test("what is not HTTP is answered 400 as a problem, and the connection ends", async (t) => {
  const { port, url } = await start(t, hello);
  for (const garbage of [
    "\u0016\u0003\u0001\u0002\u0000\u0001",
    "HELO mail\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
  ]) {
    const response = parseResponse(await (await rawSocket(t, port, garbage)).ended);
    t.equal(response.status, 400, JSON.stringify(garbage));
    t.equal(response.headers.get("content-type"), "application/problem+json");
    t.equal(response.headers.get("connection"), "close");
    t.match(JSON.parse(response.body), { code: "BAD_REQUEST", status: 400 });
  }
  t.equal((await fetch(url)).status, 200, "the server goes on");
});

t.test("ambiguous framing is refused (request smuggling)", async (t) => {
  const { port } = await start(t, hello);
  const head = "POST / HTTP/1.1\r\nHost: x\r\n";
  for (const framing of [
    "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "Content-Length: -1\r\n\r\n",
    "Content-Length : 1\r\n\r\na",
  ]) {
    const response = parseResponse(await (await rawSocket(t, port, head + framing)).ended);
    t.equal(response.status, 400, framing);
  }
});

t.test("headers that are too large are 431", async (t) => {
  const { port } = await start(t, hello);
  const raw = await rawSocket(
    t,
    port,
    `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(17 * 1024)}\r\n\r\n`,
  );
  const response = parseResponse(await raw.ended);
  t.equal(response.status, 431);
  t.match(JSON.parse(response.body), { code: "HEADERS_TOO_LARGE" });
});

const QUICK = { headersMs: 100, requestMs: 200, checkEveryMs: 20 };

t.test(
  "headers that do not end are 408; the socket is closed though its owner never closes it",
  async (t) => {
    const { port } = await start(t, hello, { timeouts: QUICK });
    const raw = await rawSocket(t, port, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow");
    const response = parseResponse(await raw.ended);
    t.equal(response.status, 408);
    t.match(JSON.parse(response.body), { code: "REQUEST_TIMEOUT", retryable: true });
  },
);

t.test("a body that does not end is 408", async (t) => {
  const reading: RequestListener = (request, response) => {
    request.on("error", () => {});
    request.on("end", () => response.end()).resume();
  };
  const { port } = await start(t, reading, { timeouts: QUICK });
  const raw = await rawSocket(t, port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
  t.equal(parseResponse(await raw.ended).status, 408);
});

t.test("connections are kept for longer than a load balancer's 60 s", async (t) => {
  const { port } = await start(t, hello);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const [response] = (await once(get({ port, agent }), "response")) as [IncomingMessage];
  response.resume();
  const seconds = Number(/timeout=(\d+)/.exec(String(response.headers["keep-alive"]))?.[1]);
  t.ok(seconds > 60, `${seconds} s`);
});

t.test("close waits for the request in flight on a connection that is kept, and no longer", async (t) => {
  const handler = held();
  const server = await start(t, handler.callback);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const answered = once(get({ port: server.port, agent }), "response") as Promise<[IncomingMessage]>;
  await handler.entered;
  let closed = false;
  // A minute: if close() waited for its end, this test would run into tap's time-out.
  const closing = server.close(60_000).then(() => {
    closed = true;
  });
  await t.rejects(fetch(server.url), "new ones are refused");
  t.notOk(closed);
  handler.release();
  const [response] = await answered;
  t.equal(response.statusCode, 200);
  response.resume();
  await waitFor("the server to close", () => closed, 5000);
  await closing;
});

t.test("close cuts what is still there when the grace ends", async (t) => {
  const handler = held();
  const server = await start(t, handler.callback);
  const cut = fetch(server.url);
  cut.catch(() => {});
  await handler.entered;
  await server.close(20);
  await t.rejects(cut);
});

t.test("close ends idle connections at once, and may be asked for twice", async (t) => {
  const server = await start(t, hello);
  const raw = await rawSocket(t, server.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await waitFor("the answer", () => raw.received.includes("hello"));
  await Promise.all([server.close(60_000), server.close(60_000)]);
  await raw.ended;
});

t.test("close does not wait for a connection on which nothing was ever sent", async (t) => {
  const server = await start(t, hello);
  const raw = await rawSocket(t, server.port, "");
  await (await fetch(server.url)).text();
  await server.close(60_000);
  t.equal(await raw.ended, "");
});
