/** Tracing in the life of a service's process: off costs nothing, on it survives its collector. */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startTraceCollector, waitFor } from "@parallax/testkit";
import t from "tap";
import type { Test } from "../helpers.ts";

const file = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const START_MS = 60_000;
const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** A service that serves one request until it is asked to stop, and ends. */
async function oneRequest(t: Test, env: Record<string, string>) {
  const child = spawn(process.execPath, ["--import", file("told-modules.ts"), file("service.ts")], {
    env: { MODE: "serve", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      printed[stream] += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const lines = (): Record<string, unknown>[] =>
    printed.stdout
      .split("\n")
      .flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line)] : []));
  const logged = (msg: string) => lines().find((line) => line.msg === msg);
  const { url } = (await waitFor("the start", () => logged("started"), START_MS)) as { url: string };
  const answer = fetch(`${url}/slow`, { headers: { traceparent: parent } });
  await waitFor("the request", () => logged("slow began"), START_MS);
  const asked = performance.now();
  child.kill("SIGTERM");
  const text = await (await answer).text();
  const code = await ended;
  return { code, text, seconds: (performance.now() - asked) / 1000, logged, stderr: printed.stderr };
}

t.test("off by default: nothing of the SDK is loaded, the trace goes on in the log", async (t) => {
  const { code, logged, stderr } = await oneRequest(t, {});
  t.equal(code, 0);
  t.equal(stderr, "");
  t.match(logged("request"), { trace_id: parent.slice(3, 35), span_id: /^[0-9a-f]{16}$/ });
  t.notOk(logged("traces ended"));
});

t.test("on: what ends while it stops arrives too, with the ids of the log", async (t) => {
  await using collector = await startTraceCollector();
  const { code, text, logged, stderr } = await oneRequest(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  t.equal(code, 0);
  t.equal(text, "slow but sure");
  t.match(stderr, /^loaded .*sdk-trace/m, "the check of the other test would see it");
  const [span, ...more] = collector.spans;
  t.same(more, []);
  t.match(span, {
    service: "fixture",
    name: "GET /slow",
    kind: "server",
    parentSpanId: parent.slice(36, 52),
    attributes: {
      "http.request.method": "GET",
      "http.route": "/slow",
      "http.response.status_code": 200,
      "url.path": "/slow",
      "url.scheme": "http",
    },
    failed: false,
  });
  t.match(logged("request"), { trace_id: span?.traceId, span_id: span?.spanId });
  t.match(logged("traces ended"), { exported: 1, failed: 0, dropped: 0, unsent: 0 });
});

for (const what of ["hangs", "is away"] as const) {
  t.test(`a collector that ${what} disturbs neither the answer nor the end`, async (t) => {
    await using collector = await startTraceCollector(() => "hang");
    const url = what === "hangs" ? collector.url : "http://127.0.0.1:1";
    const { code, text, seconds, logged } = await oneRequest(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      SHUTDOWN_GRACE_SECONDS: "10",
    });
    t.equal(code, 0, "an orderly end");
    t.equal(text, "slow but sure");
    t.ok(seconds < 9, `within the grace period: ${seconds} s`);
    t.match(logged("traces ended"), { exported: 0 });
    t.ok(logged("stopped"));
  });
}
