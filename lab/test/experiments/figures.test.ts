import t from "tap";
import type { SeenAnswer } from "../../src/experiments/answer-lines.ts";
import type { LoadStep } from "../../src/experiments/experiment.ts";
import { latencyFigures, metricsOf, type RunFigures, stepFigures } from "../../src/experiments/figures.ts";
import type { K6Summary } from "../../src/experiments/k6-run.ts";
import { LatencyRecorder, newHistogram } from "../../src/experiments/latency.ts";
import { schedule } from "../../src/experiments/load-schedule.ts";

const BEGAN = 1_763_706_000_000;

interface Told extends Partial<SeenAnswer> {
  readonly count: number;
}

/** `count` answers, evenly over the step's ten seconds. */
function recorded(told: readonly Told[]): LatencyRecorder {
  const recorder = new LatencyRecorder();
  for (const { count, ...changes } of told) {
    for (let i = 0; i < count; i += 1) {
      const at = BEGAN + (i * 10_000) / count;
      const answer = {
        at,
        wallMs: 20,
        micros: 20_000,
        status: 200,
        timedOut: false,
        step: "load",
        op: "get",
      };
      recorder.record({ ...answer, ...changes });
    }
  }
  return recorder;
}

function summaryOf(counts: Readonly<Record<string, number>>): K6Summary {
  const metrics = Object.entries(counts).map(([name, count]) => [name, { values: { count } }] as const);
  return { metrics: Object.fromEntries(metrics) };
}

const measured = (name: string, rate: number): LoadStep => ({
  name,
  kind: "measured",
  arrivals: { model: "open", rate },
  seconds: 10,
});
const [load] = schedule([measured("load", 100)]);
if (!load) throw new Error("unreachable");

const whole: RunFigures["generator"] = {
  cpu_s: 1,
  memory_mb_max: 100,
  network_rx_mb: null,
  network_tx_mb: null,
  throttled_s: null,
  cpu_share: 0.1,
  cpu_share_peak: 0.2,
};

t.test("a step's figures are those of its own answers and iterations", async (t) => {
  const { series } = recorded([{ count: 1000 }, { count: 500, step: "warm-up", micros: 900_000 }]);
  const summary = summaryOf({
    "iterations{scenario:load}": 1000,
    "iterations{scenario:warm-up}": 500,
    "dropped_iterations{scenario:warm-up}": 7,
  });
  const figures = stepFigures(load, series, summary, { meanCpu: 0.1 });
  t.match(figures, {
    iterations: 1000,
    dropped_iterations: 0,
    achieved_rate: 100,
    answers: 1000,
    errors: 0,
    unanswered: 0,
    performance: { outcome: "valid", reasons: [] },
  });
  t.ok(Math.abs((figures.latency_ms?.p99 ?? 0) - 20) < 0.02);
  t.ok(Math.abs(figures.answered_rate - 100) < 0.1, `${figures.answered_rate}`);
});

t.test("answers that come after the step lower the rate at which it was answered", async (t) => {
  const { series } = recorded([{ count: 1000, wallMs: 10_000, micros: 10_000_000 }]);
  const figures = stepFigures(load, series, summaryOf({ "iterations{scenario:load}": 1000 }), {});
  t.equal(figures.achieved_rate, 100);
  t.ok(Math.abs(figures.answered_rate - 50) < 0.1, `${figures.answered_rate}`);
});

t.test("time-outs are errors, and no answers a second", async (t) => {
  const { series } = recorded([
    { count: 900 },
    { count: 60, status: 503 },
    { count: 40, status: 0, micros: 0, wallMs: 1000 },
  ]);
  const figures = stepFigures(load, series, summaryOf({ "iterations{scenario:load}": 1000 }), {});
  t.match(figures, { answers: 1000, errors: 100, unanswered: 40 });
  t.ok(figures.answered_rate < 96.1);
  t.ok((figures.latency_ms?.p99 ?? 0) > 990, "the client waited a second");
});

t.test("a step without an answer has no latencies and is INVALID", async (t) => {
  const figures = stepFigures(load, [], summaryOf({}), {});
  t.match(figures, { answers: 0, achieved_rate: 0, answered_rate: 0, latency_ms: null, operations: {} });
  t.match(figures.performance, { outcome: "INVALID", reasons: [/no answer at all/, /0\.0 iterations/] });
  t.equal(latencyFigures(newHistogram()), null);
});

t.test("an iteration of several requests lasts as long as they do together", async (t) => {
  // 100 iterations a second, each a get of 20 ms and a put of 80 ms: ten users under way.
  const { series } = recorded([
    { count: 1000 },
    { count: 1000, op: "put", micros: 80_000, wallMs: 80, at: BEGAN + 20 },
  ]);
  const [closed] = schedule([
    { ...measured("load", 0), arrivals: { model: "closed", users: 10, think_seconds: 0 } },
  ]);
  if (!closed) return;
  const figures = stepFigures(closed, series, summaryOf({ "iterations{scenario:load}": 1000 }), {});
  t.same(figures.performance, { outcome: "valid", reasons: [] });
  t.same(Object.keys(figures.operations), ["get", "put"]);
  t.equal(figures.operations.put?.answers, 1000);
});

function runOf(
  steps: readonly { name: string; kind?: "warm-up"; dropped?: number; told: readonly Told[] }[],
): RunFigures {
  const planned = schedule(
    steps.map(({ name, kind }) => ({ ...measured(name, 100), ...(kind && { kind }) })),
  );
  const { series } = recorded(
    steps.flatMap(({ name, told }) => told.map((each) => ({ ...each, step: name }))),
  );
  const summary = summaryOf(
    Object.fromEntries(
      steps.flatMap(({ name, dropped = 0 }) => [
        [`iterations{scenario:${name}}`, 1000],
        [`dropped_iterations{scenario:${name}}`, dropped],
      ]),
    ),
  );
  return {
    steps: planned.map((step) => stepFigures(step, series, summary, {})),
    parts: {
      "orders-receiver": { ...whole, cpu_s: 4, memory_mb_max: 80, throttled_s: 0 },
      redis: { ...whole, cpu_s: null, memory_mb_max: null, throttled_s: null },
    },
    generator: whole,
    highest: { queue_visible: 12 },
  };
}

t.test("the metrics of one step have plain names; a warm-up's are left out", async (t) => {
  const metrics = metricsOf(
    runOf([
      { name: "warm-up", kind: "warm-up", told: [{ count: 1000, status: 500 }] },
      { name: "load", told: [{ count: 990 }, { count: 10, status: 500 }] },
    ]),
  );
  t.same(Object.keys(metrics).sort(), [
    "achieved_rate",
    "answered_rate",
    "error_share",
    "latency_mean_ms",
    "latency_p50_ms",
    "latency_p90_ms",
    "latency_p95_ms",
    "latency_p999_ms",
    "latency_p99_ms",
    "orders_receiver_cpu_s_per_1000",
    "orders_receiver_memory_mb",
    "orders_receiver_throttled_s",
    "queue_visible_max",
  ]);
  t.match(metrics, {
    achieved_rate: 100,
    error_share: 0.01,
    orders_receiver_cpu_s_per_1000: 4,
    orders_receiver_memory_mb: 80,
    queue_visible_max: 12,
  });
});

t.test("several steps' metrics begin with their names; those that are INVALID are left out", async (t) => {
  const metrics = metricsOf(
    runOf([
      { name: "r100", told: [{ count: 1000 }] },
      { name: "r200", dropped: 3, told: [{ count: 1000 }] },
    ]),
  );
  t.equal(metrics["r100/achieved_rate"], 100);
  t.ok("r100/latency_p99_ms" in metrics);
  t.notOk(Object.keys(metrics).some((name) => name.startsWith("r200/")));
  t.notOk("latency_p99_ms" in metrics);
});

t.test("of one step that is INVALID no latency is left", async (t) => {
  const metrics = metricsOf(runOf([{ name: "load", dropped: 1, told: [{ count: 1000 }] }]));
  t.notOk(Object.keys(metrics).some((name) => name.includes("latency") || name.includes("rate")));
});

t.test("several operations have latencies of their own beside those of all", async (t) => {
  const metrics = metricsOf(
    runOf([{ name: "load", told: [{ count: 500 }, { count: 500, op: "put", micros: 80_000, wallMs: 80 }] }]),
  );
  t.ok(Math.abs((metrics["put/latency_p50_ms"] ?? 0) - 80) < 0.1);
  t.ok(Math.abs((metrics["get/latency_p50_ms"] ?? 0) - 20) < 0.1);
  t.ok((metrics.latency_p90_ms ?? 0) > 79);
});

t.test("a step without an answer is all error", async (t) => {
  const figures = runOf([{ name: "load", told: [] }]);
  const [step] = figures.steps;
  if (!step) return;
  const valid = { ...step, performance: { outcome: "valid", reasons: [] } } as const;
  t.match(metricsOf({ ...figures, steps: [valid] }), { error_share: 1 });
});

t.test("clients who hung up are told apart from those who got no answer", async (t) => {
  const { series } = recorded([
    { count: 90 },
    { count: 6, status: 0, timedOut: true, wallMs: 3000 },
    { count: 4, status: 0 },
  ]);
  const figures = stepFigures(load, series, summaryOf({ "iterations{scenario:load}": 100 }), {});
  t.match(figures, { answers: 100, errors: 10, unanswered: 10, timed_out: 6 });
  t.match(figures.operations.get, { timed_out: 6 });
});

t.test("what an experiment found out itself is compared too, of a run that is valid", async (t) => {
  const { series } = recorded([{ count: 1000 }]);
  const valid = stepFigures(load, series, summaryOf({ "iterations{scenario:load}": 1000 }), {});
  const figures: RunFigures = {
    steps: [valid],
    parts: {},
    generator: whole,
    highest: {},
    findings: { drain_s: 12 },
  };
  t.equal(metricsOf(figures).drain_s, 12);
  const performance = { outcome: "INVALID", reasons: ["for a test"] } as const;
  t.notOk("drain_s" in metricsOf({ ...figures, steps: [{ ...valid, performance }] }));
});
