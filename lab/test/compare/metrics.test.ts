/** What a name says of a metric, and what may be said of it. */
import t from "tap";
import { type Call, callOf, isSlight, metricOf } from "../../src/compare/metrics.ts";
import { effectOf } from "../../src/compare/ratio-interval.ts";

t.test("unit and direction are told from the name, also behind a step or an operation", async (t) => {
  const known = {
    latency_p50_ms: ["ms", "lower"],
    latency_p999_ms: ["ms", "lower"],
    latency_mean_ms: ["ms", "lower"],
    "r200/latency_p99_ms": ["ms", "lower"],
    "r200/place/latency_p99_ms": ["ms", "lower"],
    achieved_rate: ["/s", "higher"],
    answered_rate: ["/s", "higher"],
    error_share: ["", "lower"],
    orders_receiver_cpu_s_per_1000: ["s", "lower"],
    orders_receiver_memory_mb: ["MB", "lower"],
    orders_receiver_throttled_s: ["s", "lower"],
    queue_depth_max: ["", "lower"],
    queue_visible_max: ["", "lower"],
    payments_in_progress_max: ["", "neutral"],
    drain_s: ["s", "lower"],
    drain_forecast_s: ["s", "neutral"],
    drain_watched_s: ["s", "neutral"],
    processed_per_s: ["/s", "higher"],
    latency_of_love: ["", "neutral"],
  } as const;
  for (const [name, [unit, better]] of Object.entries(known))
    t.same(metricOf(name), { name, unit, better }, name);
});

t.test("the call follows from interval, direction and number of runs", async (t) => {
  const low = [10, 11, 12, 13, 14];
  const high = [20, 21, 22, 23, 24];
  const call = (name: string, a: number[], b: number[]): Call =>
    callOf(metricOf(name), effectOf(a, b), Math.min(a.length, b.length));
  t.equal(call("latency_p50_ms", low, high), "worse");
  t.equal(call("latency_p50_ms", high, low), "better");
  t.equal(call("achieved_rate", low, high), "better");
  t.equal(call("achieved_rate", high, low), "worse");
  t.equal(call("anything_else", low, high), "differs");
  t.equal(call("latency_p50_ms", low, low), "no difference shown");
  t.equal(call("anything_else", low, low), "no difference shown");
  t.equal(call("latency_p50_ms", low.slice(1), high.slice(1)), "too few runs");
  t.equal(call("queue_visible_max", [0, 0, 0, 0, 0], [3, 1, 4, 1, 5]), "worse", "by difference");
});

t.test("four runs are too few even where the other side has enough to reach 0.01", async (t) => {
  const effect = effectOf([1, 2, 3, 4], [10, 11, 12, 13, 14, 15]);
  t.ok(effect.p <= 0.01);
  t.equal(callOf(metricOf("latency_p50_ms"), effect, 4), "too few runs");
});

t.test("a difference that may be of less than 1 % is not called, however sure", async (t) => {
  const a = [100, 100.01, 100.02, 100.03, 100.04];
  const call = (factor: number) =>
    callOf(
      metricOf("latency_p50_ms"),
      effectOf(
        a,
        a.map((value) => value * factor),
      ),
      5,
    );
  t.equal(call(1.005), "no difference shown");
  t.ok(
    isSlight(
      effectOf(
        a,
        a.map((value) => value * 1.005),
      ),
    ),
  );
  t.equal(call(1.02), "worse");
  t.notOk(
    isSlight(
      effectOf(
        a,
        a.map((value) => value * 1.02),
      ),
    ),
  );
  t.equal(call(1 / 1.005), "no difference shown");
  t.equal(call(1 / 1.02), "better");
  t.notOk(isSlight(effectOf(a, a)), "nothing is left out");
});
