import { once } from "node:events";
import { request } from "node:http";
import t from "tap";
import { serve } from "../helpers.ts";

t.test("/health says OK, /health/live is JSON", async (t) => {
  const { url } = await serve(t);
  const health = await fetch(`${url}/health`);
  t.equal(await health.text(), "OK");
  t.match(health.headers.get("content-type"), /^text\/plain/);
  t.same(await (await fetch(`${url}/health/live`)).json(), { status: "live" });
});

t.test("ready when every check succeeds; each is named, and none is probed for every probe", async (t) => {
  let probes = 0;
  const check = async () => {
    probes += 1;
  };
  const { url } = await serve(t, undefined, { readiness: [{ name: "database", check }] });
  const responses = await Promise.all(Array.from({ length: 10 }, () => fetch(`${url}/health/ready`)));
  for (const response of responses) {
    t.equal(response.status, 200);
    t.equal(response.headers.get("cache-control"), "no-store");
    t.same(await response.json(), { status: "ready", checks: { database: "ok" } });
  }
  t.ok(probes >= 1 && probes < 10, `${probes} probes`);
});

t.test("not ready while a check fails, whatever it throws, without telling why in words", async (t) => {
  const failure = Object.assign(new Error("password is hunter2"), { code: "ECONNREFUSED" });
  const { url } = await serve(t, undefined, {
    readiness: [
      { name: "coded", check: () => Promise.reject(failure) },
      { name: "plain", check: () => Promise.reject(new TypeError("hunter2")) },
      { name: "nothing", check: () => Promise.reject(undefined) },
      {
        name: "thrown",
        check: () => {
          throw new RangeError("hunter2");
        },
      },
      { name: "fine", check: async () => {} },
    ],
  });
  const response = await fetch(`${url}/health/ready`);
  t.equal(response.status, 503);
  t.same(await response.json(), {
    status: "not ready",
    checks: {
      coded: "not ok: ECONNREFUSED",
      plain: "not ok: TypeError",
      nothing: "not ok: failed",
      thrown: "not ok: RangeError",
      fine: "ok",
    },
  });
  t.equal((await fetch(`${url}/health/live`)).status, 200, "it lives all the same");
});

t.test("a check that is a method keeps its object", async (t) => {
  class Store {
    #up = true;
    readonly name = "store";
    async check() {
      if (!this.#up) throw new Error("down");
    }
  }
  const { url } = await serve(t, undefined, { readiness: [new Store()] });
  t.equal((await fetch(`${url}/health/ready`)).status, 200);
});

t.test("a check that hangs is not ready", async (t) => {
  const { url } = await serve(t, undefined, {
    readiness: [{ name: "slow", check: () => new Promise(() => {}) }],
    checkTimeoutMs: 50,
  });
  const response = await fetch(`${url}/health/ready`);
  t.equal(response.status, 503);
  t.match(await response.json(), { checks: { slow: "not ok: does not answer" } });
});

t.test("while draining it is live, not ready, and asks callers to close their connections", async (t) => {
  const { app, url } = await serve(t);
  t.equal((await fetch(`${url}/health/ready`)).status, 200);
  app.drain();
  const call = request(`${url}/health/ready`, { headers: { connection: "keep-alive" } }).end();
  const [response] = await once(call, "response");
  response.resume();
  t.equal(response.statusCode, 503);
  t.equal(response.headers.connection, "close");
  t.same(await (await fetch(`${url}/health/ready`)).json(), { status: "draining", checks: {} });
  t.equal((await fetch(`${url}/health/live`)).status, 200);
});

t.test("/metrics counts by the route's pattern, never by the path that was asked for", async (t) => {
  const { url } = await serve(t, (router) => {
    router.get("/things/:id", (ctx) => {
      ctx.body = "thing";
    });
  });
  for (const id of [1, 2, 3]) await fetch(`${url}/things/${id}`);
  await fetch(`${url}/secret-path`);
  await fetch(`${url}/things/4`, { method: "PUT" });
  const response = await fetch(`${url}/metrics`);
  t.match(response.headers.get("content-type"), /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  const count = (labels: string) => {
    const line = text
      .split("\n")
      .find((each) => each.includes("duration_seconds_count{") && each.includes(labels));
    return Number(line?.split(" ").at(-1));
  };
  t.equal(count('method="GET",route="/things/:id",status="200"'), 3);
  t.equal(count('method="GET",route="(none)",status="404"'), 1);
  t.equal(count('method="PUT",route="(none)",status="405"'), 1);
  t.notMatch(text, /secret-path|things\/1/);
  t.match(text, /http_requests_in_flight\{service="test"\} 0/);
  t.match(text, /^process_cpu_seconds_total/m);
});
