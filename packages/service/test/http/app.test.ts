import t from "tap";
import { jsonBody, NotFound } from "../../src/index.ts";
import { memoryLogger, parseResponse, rawSocket, serve } from "../helpers.ts";

t.test("a request id is echoed when it is harmless and replaced when it is not", async (t) => {
  const { url } = await serve(t);
  const sent = async (id: string) => {
    const response = await fetch(`${url}/nowhere`, { headers: { "x-request-id": id } });
    const { instance } = (await response.json()) as { instance: string };
    const answered = response.headers.get("x-request-id");
    t.equal(instance, `urn:request:${answered}`);
    return answered;
  };
  for (const good of ["a", "order-1:2.3_4", "x".repeat(64)]) t.equal(await sent(good), good);
  for (const bad of ["", "x".repeat(65), "a b", 'a"', "../etc", "é"]) {
    t.match(await sent(bad), /^[0-9a-f-]{36}$/, JSON.stringify(bad));
  }
});

t.test("a trace is continued with a span of this service; an invalid one is begun anew", async (t) => {
  const { url } = await serve(t, (router) => {
    router.get("/trace", (ctx) => {
      ctx.body = ctx.state.trace;
    });
  });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const ask = async (header: string) => {
    const response = await fetch(`${url}/trace`, { headers: { traceparent: header } });
    const trace = (await response.json()) as { traceId: string; spanId: string; sampled: boolean };
    return trace;
  };
  const continued = await ask(`00-${traceId}-b7ad6b7169203331-01`);
  t.match(continued, { traceId, sampled: true });
  t.not(continued.spanId, "b7ad6b7169203331");
  t.not((await ask(`00-${traceId}-0000000000000000-01`)).traceId, traceId);
});

t.test("an unknown route is 404, a known one with another method 405 with Allow", async (t) => {
  const { url } = await serve(t, (router) => {
    router.get("/things/:id", (ctx) => {
      ctx.body = "thing";
    });
    router.delete("/things/:id", (ctx) => {
      ctx.body = "gone";
    });
  });
  const absent = await fetch(`${url}/nothing`);
  t.equal(absent.status, 404);
  t.match(await absent.json(), { code: "ROUTE_NOT_FOUND", detail: /"\/nothing"/ });
  const cases = {
    "/things/1": ["DELETE", "GET", "HEAD"],
    "/health": ["GET", "HEAD"],
    "/metrics": ["GET", "HEAD"],
  };
  for (const [path, methods] of Object.entries(cases)) {
    for (const method of ["PUT", "PATCH", "OPTIONS"]) {
      const response = await fetch(url + path, { method });
      t.equal(response.status, 405, `${method} ${path}`);
      t.same(response.headers.get("allow")?.split(", ").sort(), methods);
      t.match(await response.json(), { code: "METHOD_NOT_ALLOWED", retryable: false });
    }
  }
});

t.test("HEAD is GET without a body, also when it fails", async (t) => {
  const { url, port } = await serve(t, (router) => {
    router.get("/thing", (ctx) => {
      ctx.body = "thing";
    });
  });
  const response = await fetch(`${url}/thing`, { method: "HEAD" });
  t.equal(response.status, 200);
  t.equal(response.headers.get("content-length"), "5");
  const raw = await rawSocket(t, port, "HEAD /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const failed = parseResponse(await raw.ended);
  t.equal(failed.status, 404);
  t.equal(failed.body, "");
});

t.test(
  "an unexpected error is a 500 that tells nothing; the log has all of it; the next is served",
  async (t) => {
    const log = memoryLogger();
    const add: Parameters<typeof serve>[1] = (router) => {
      router.get("/defect/:secret", () => {
        throw new Error("connect to db with hunter2", { cause: new TypeError("deeper") });
      });
      router.get("/no-error", () => {
        throw null;
      });
      router.get("/fine", (ctx) => {
        ctx.body = "fine";
      });
    };
    const { url } = await serve(t, add, { logger: log.logger });
    const response = await fetch(`${url}/defect/1`, { headers: { "x-request-id": "r-1" } });
    t.equal(response.status, 500);
    t.equal(response.headers.get("content-type"), "application/problem+json");
    const text = await response.text();
    t.match(JSON.parse(text), { code: "INTERNAL", retryable: false, instance: "urn:request:r-1" });
    t.notMatch(text, /hunter2|deeper|at |node_modules/);
    const line = log.lines().find(({ request_id }) => request_id === "r-1");
    t.match(line, {
      level: "error",
      status: 500,
      path: "/defect/1",
      err: { message: /hunter2/, stack: /deeper/ },
    });
    t.equal((await fetch(`${url}/no-error`)).status, 500);
    t.equal(await (await fetch(`${url}/fine`)).text(), "fine");
  },
);

t.test("a ServiceError from a handler is its own answer, logged as information", async (t) => {
  const log = memoryLogger("info");
  const add: Parameters<typeof serve>[1] = (router) => {
    router.get("/gone/:id", (ctx) => {
      ctx.state.log = { thing: ctx.params.id };
      throw new NotFound("No such thing.", { retryAfterSeconds: 0.2, headers: { "X-More": "1" } });
    });
  };
  const { url } = await serve(t, add, { logger: log.logger });
  const response = await fetch(`${url}/gone/7`);
  t.equal(response.status, 404);
  t.equal(response.headers.get("retry-after"), "1");
  t.equal(response.headers.get("x-more"), "1");
  t.match(log.lines(), [
    { level: "info", msg: "request", status: 404, thing: "7", trace_id: /^[0-9a-f]{32}$/ },
  ]);
});

t.test("a path that is no percent-encoding is an answer like any other, never a failure", async (t) => {
  const { port } = await serve(t, (router) => {
    router.get("/things/:id", (ctx) => {
      ctx.body = ctx.params.id;
    });
  });
  const paths = {
    "/things/%E0%A4%A": 200,
    "/things/%": 200,
    "/%ff%fe": 404,
    "//": 404,
    "/%00%": 404,
    "*": 404,
  };
  for (const [path, status] of Object.entries(paths)) {
    const raw = await rawSocket(t, port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    t.equal(parseResponse(await raw.ended).status, status, path);
  }
});

t.test("one request over the limit is 503 with Retry-After, while health still answers", async (t) => {
  const held = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const { url } = await serve(
    t,
    (router) => {
      router.get("/slow", async (ctx) => {
        entered.resolve();
        await held.promise;
        ctx.body = "done";
      });
      router.post("/body", async (ctx) => {
        ctx.body = await jsonBody(ctx);
      });
    },
    { maxInFlight: 1 },
  );
  const slow = fetch(`${url}/slow`);
  await entered.promise;
  const refused = await fetch(`${url}/body`, { method: "POST", body: "{}" });
  t.equal(refused.status, 503);
  t.equal(refused.headers.get("retry-after"), "1");
  t.match(await refused.json(), { code: "OVERLOADED", retryable: true });
  for (const path of ["/health", "/health/live", "/health/ready", "/metrics"]) {
    t.equal((await fetch(url + path)).status, 200, path);
  }
  held.resolve();
  t.equal(await (await slow).text(), "done");
  t.equal((await fetch(`${url}/slow`)).status, 200, "the place is free again");
});
