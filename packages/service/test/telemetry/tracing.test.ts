/** Spans as a collector receives them, and what becomes of them when it takes none. */

import { startTraceCollector, waitFor } from "@parallax/testkit";
import t from "tap";
import { z } from "zod";
import { configure, createMetrics, inSpan, serviceVariables, type Tracing } from "../../src/index.ts";
import { startTracing } from "../../src/telemetry/tracing.ts";
import { memoryLogger, type Test } from "../helpers.ts";

const TRACE = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

/** By the environment, as a service does it. */
async function start(t: Test, env: Record<string, string>) {
  const log = memoryLogger();
  const tracing = await startTracing(configure(z.object(serviceVariables), env), "tested", log.logger);
  t.teardown(() => tracing?.stop(0));
  return { tracing: tracing as Tracing, log };
}

function work(name: string, parent?: { traceId: string; spanId: string; sampled: boolean }) {
  return { name, kind: "server", parent, attributes: {} } as const;
}

t.test("off without an endpoint, and when it is disabled", async (t) => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };
  t.equal((await start(t, {})).tracing, undefined);
  t.equal((await start(t, { ...endpoint, OTEL_SDK_DISABLED: "True" })).tracing, undefined);
  t.ok((await start(t, { ...endpoint, OTEL_SDK_DISABLED: "false" })).tracing);
});

t.test("wrong variables are named, all at once", async (t) => {
  const env = {
    OTEL_SDK_DISABLED: "maybe",
    OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4317",
    OTEL_EXPORTER_OTLP_TIMEOUT: "soon",
    OTEL_TRACES_SAMPLER: "sometimes",
    OTEL_TRACES_SAMPLER_ARG: "2",
  };
  await t.rejects(start(t, env), new RegExp(Object.keys(env).join(".*"), "s"));
});

t.test("spans arrive with their service, parents, kinds, attributes and failures", async (t) => {
  await using collector = await startTraceCollector();
  const { tracing } = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_SERVICE_NAME: "another name",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
  });
  const parent = { ...TRACE, sampled: true };
  await t.rejects(
    inSpan(tracing, { ...work("outer", parent), attributes: { size: 3, good: true } }, async (outer) => {
      t.equal(tracing.active?.context.spanId, outer.context.spanId);
      await inSpan(tracing, { ...work("inner", outer.context), kind: "client" }, async (inner) => {
        inner.set({ word: "said" });
        t.equal(tracing.active?.context.spanId, inner.context.spanId);
      });
      t.equal(tracing.active?.context.spanId, outer.context.spanId, "the outer one is active again");
      throw Object.assign(new Error("it broke"), { code: "BROKEN" });
    }),
    /it broke/,
  );
  t.equal(tracing.active, undefined);
  await tracing.stop(5000);
  const [inner, outer] = collector.spans;
  t.match(outer, {
    service: "another name",
    name: "outer",
    kind: "server",
    traceId: TRACE.traceId,
    parentSpanId: TRACE.spanId,
    attributes: { size: 3, good: true, "error.type": "BROKEN" },
    failed: true,
    exceptions: [{ type: "BROKEN", message: "it broke" }],
  });
  t.match(inner, { name: "inner", kind: "client", traceId: TRACE.traceId, failed: false });
  t.equal(inner?.parentSpanId, outer?.spanId);
  t.same(inner?.attributes, { word: "said" });
  t.ok((outer?.startMs ?? 0) <= (inner?.startMs ?? 0) && (inner?.endMs ?? 0) <= (outer?.endMs ?? 0));
  t.ok(Math.abs((outer?.endMs ?? 0) - Date.now()) < 60_000, "times are of the wall clock");
});

t.test("what is sampled: what its caller samples, everything where there is no caller", async (t) => {
  const sampledBy = async (env: Record<string, string>) => {
    const { tracing } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", ...env });
    const contexts = [undefined, true, false].map((sampled) => {
      const parent = sampled === undefined ? undefined : { ...TRACE, sampled };
      return tracing.begin(work("one", parent)).context;
    });
    t.ok(contexts.every(({ spanId }) => /^[0-9a-f]{16}$/.test(spanId) && spanId !== TRACE.spanId));
    t.ok(
      contexts.slice(1).every(({ traceId }) => traceId === TRACE.traceId),
      "the trace goes on all the same",
    );
    return contexts.map(({ sampled }) => sampled);
  };
  t.same(await sampledBy({}), [true, true, false]);
  t.same(await sampledBy({ OTEL_TRACES_SAMPLER: "always_on" }), [true, true, true]);
  t.same(await sampledBy({ OTEL_TRACES_SAMPLER: "always_off" }), [false, false, false]);
  t.same(await sampledBy({ OTEL_TRACES_SAMPLER: "parentbased_always_off" }), [false, true, false]);
  const none = { OTEL_TRACES_SAMPLER_ARG: "0" };
  t.same(await sampledBy({ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", ...none }), [false, true, false]);
  t.same(await sampledBy({ OTEL_TRACES_SAMPLER: "traceidratio", ...none }), [false, false, false]);
});

t.test(
  "a collector that hangs costs spans, not work: the queue is bounded and all are counted",
  async (t) => {
    await using collector = await startTraceCollector(() => "hang");
    const { tracing } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const metrics = createMetrics("tested");
    tracing.countIn(metrics);
    const COUNT = 10_000;
    for (let n = 0; n < COUNT; n += 1) tracing.begin(work("one")).end();
    await waitFor("an export", () => collector.requests > 0);
    const began = performance.now();
    await tracing.stop(200);
    t.ok(performance.now() - began < 5000, "stopping waits no longer than it may");
    const read = async (line: RegExp) => Number(line.exec(await metrics.registry.metrics())?.[1]);
    const waiting = await read(/^trace_spans_waiting\{.*\} (\d+)$/m);
    t.equal(waiting, 4096);
    t.equal(await read(/^trace_spans_total\{.*fate="dropped".*\} (\d+)$/m), COUNT - waiting);
    t.equal(await read(/^trace_spans_total\{.*fate="exported".*\} (\d+)$/m), 0);
  },
);

t.test(
  "a collector that refuses and recovers is told of once each, and spans come through again",
  async (t) => {
    let status = 400;
    await using collector = await startTraceCollector(() => status);
    const { tracing, log } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const told = (message: RegExp) => log.lines().filter(({ msg }) => message.test(String(msg))).length;
    const one = () => tracing.begin(work("one")).end();
    for (const requests of [1, 2]) {
      one();
      await waitFor("a refused export", () => collector.requests === requests);
    }
    await waitFor("the warning", () => told(/takes no traces/) === 1);
    status = 200;
    one();
    await waitFor("a span", () => collector.spans.length === 1);
    await waitFor("the all-clear", () => told(/takes traces again/) === 1);
    await tracing.stop(5000);
    t.equal(told(/takes no traces/), 1);
    t.match(log.lines().at(-1), { msg: "traces ended", exported: 1, failed: 2, dropped: 0, unsent: 0 });
  },
);

t.test("nobody at the address: nothing fails, stopping is bounded", async (t) => {
  const { tracing, log } = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  tracing.begin(work("one")).end();
  const began = performance.now();
  await tracing.stop(300);
  t.ok(performance.now() - began < 5000);
  t.match(log.lines().at(-1), { msg: "traces ended", exported: 0 });
});
