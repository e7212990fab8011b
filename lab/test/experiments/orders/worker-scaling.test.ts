import t from "tap";
import type { RunFigures } from "../../../src/experiments/figures.ts";
import type { OrderTime } from "../../../src/experiments/orders/order-times.ts";
import { scalingFindings, workerScaling } from "../../../src/experiments/orders/worker-scaling.ts";
import { parseVariant, resolveParameters } from "../../../src/experiments/parameters.ts";
import { planRun } from "../../../src/experiments/plan-run.ts";
import { checkServiceSettings } from "../../../src/experiments/service-variables.ts";
import { exactly } from "./exact-queue.ts";

const valuesOf = (changes: string) => resolveParameters(workerScaling, parseVariant(changes).parameters);

/** Two orders a second for ten seconds, paid for one after the other, a second each. */
const orders: OrderTime[] = Array.from({ length: 20 }, (_, n) => ({ accepted: n / 2, paid: n + 1 }));
const run = { orders, notAccepted: 0 };
const quick = "workers=1 rate=2 seconds=10 payment_seconds=1";

t.test("a drain that was watched to its end is measured", async (t) => {
  t.match(scalingFindings(run, valuesOf(quick), { until: 30, drainedInTime: true }), {
    orders: 20,
    processed_per_s: 1,
    drain_s: 10,
    drain_watched_s: 10,
    left_after_watch: 0,
  });
});

t.test(
  "one that was not is watched as long as it was, and the rest of it is no drain that was measured",
  async (t) => {
    const findings = scalingFindings(run, valuesOf(quick), { until: 14.5, drainedInTime: false });
    // Fourteen were paid by then, six are left at a second each.
    t.match(findings, {
      drain_watched_s: 4.5,
      left_after_watch: 6,
      drain_forecast_s: 10.5,
      drain_forecast_nominal_s: 10.5,
      processed_per_s: 1,
    });
    t.notOk("drain_s" in findings, "a comparison takes it for a measurement");
    t.notOk("saturated_per_s" in findings, "fourteen payments are too few for a rate");
    const beside = workerScaling.beside?.(figuresOf(findings), valuesOf(quick), {}) ?? [];
    t.match(beside.at(-1), {
      what: "drain",
      measured: 10.5,
      model: 10,
      how: /5 s were watched; the 6 orders left then .* at 1 a second, workers ÷ payment time: too few/,
    });
  },
);

t.test(
  "with payments enough the rest goes on as fast as it was measured, and both rates are told",
  async (t) => {
    const values = valuesOf("workers=5 rate=40 seconds=10 payment_seconds=1");
    // Payments of a second, and a tenth of one beside each.
    const slow = exactly({ arrivalsPerSecond: 40, arrivalSeconds: 10, serviceSeconds: 1.1, workers: 5 });
    const last = Math.max(...slow.map(({ paid = 0 }) => paid)) - 10;
    const findings = scalingFindings({ orders: slow, notAccepted: 0 }, values, {
      until: 30,
      drainedInTime: false,
    });
    const { drain_forecast_s = 0, drain_forecast_nominal_s = 0, saturated_per_s = 0 } = findings;
    t.ok(Math.abs(drain_forecast_s / last - 1) < 0.001, `${drain_forecast_s} s, and ${last} s in the end`);
    t.ok(drain_forecast_nominal_s < 0.95 * last, `${drain_forecast_nominal_s} s by payments alone`);
    t.ok(Math.abs(saturated_per_s - 5 / 1.1) < 1e-6);
    const beside = workerScaling.beside?.(figuresOf(findings), values, {}) ?? [];
    t.match(beside.at(-1), {
      what: "drain",
      measured: drain_forecast_s,
      how: /at 4\.545 a second, as measured over \d+ payments .*\(workers ÷ payment time: 5\)/,
    });
    const readings = workerScaling.readings?.(figuresOf(findings), values).join("\n") ?? "";
    t.match(readings, /4\.545 a second were paid .* are 5\. An order took 100 ms beside its payment/);
    t.match(readings, /forecast at the measured rate: 78 s; at workers ÷ payment time it would be \d+ s/);
  },
);

t.test("compressed, what an order takes beside its payment is told by the clock", async (t) => {
  const values = valuesOf("workers=5 rate=4 seconds=100 payment_seconds=10 compress=10");
  const fast = exactly({ arrivalsPerSecond: 40, arrivalSeconds: 10, serviceSeconds: 1.1, workers: 5 });
  const findings = scalingFindings({ orders: fast, notAccepted: 0 }, values, {
    until: 30,
    drainedInTime: false,
  });
  const readings = workerScaling.readings?.(figuresOf(findings), values).join("\n") ?? "";
  t.match(readings, /0\.4545 a second were paid .* are 0\.5\. An order took 100 ms beside its payment/);
});

t.test("all paid within the watch is a whole drain, whatever the queue said and whatever died", async (t) => {
  t.match(scalingFindings(run, valuesOf(quick), { until: 30, drainedInTime: false }), {
    drain_s: 10,
    drain_watched_s: 10,
    left_after_watch: 0,
  });
  const dead = [...orders, { accepted: 1, paid: undefined }];
  const findings = scalingFindings({ orders: dead, notAccepted: 0 }, valuesOf(quick), {
    until: 30,
    drainedInTime: true,
  });
  t.match(findings, { drain_s: 10, left_after_watch: 0 });
  const beside = workerScaling.beside?.(figuresOf(findings), valuesOf(quick), {}) ?? [];
  t.notOk(beside.at(-1)?.how, "nothing of it is a forecast");
});

t.test("compressed, times and rates are the study's again", async (t) => {
  const fast = orders.map(({ accepted, paid = 0 }) => ({ accepted: accepted / 10, paid: paid / 10 }));
  const plain = scalingFindings(run, valuesOf(quick), { until: 30, drainedInTime: true });
  const compressed = scalingFindings({ ...run, orders: fast }, valuesOf(`${quick} compress=10`), {
    until: 3,
    drainedInTime: true,
  });
  for (const [name, value] of Object.entries(plain)) {
    t.ok(Math.abs((compressed[name] ?? Number.NaN) - value) < 1e-9, `${name}: ${compressed[name]}, ${value}`);
  }
});

t.test("compressed, services and load are as many times as fast", async (t) => {
  const plan = planRun(workerScaling, parseVariant("workers=5 compress=20"));
  t.match(plan.steps, [{ arrivals: { model: "open", rate: 1160 }, seconds: 3 }]);
  t.match(plan.services["orders-payments"], { PAYMENT_SECONDS: "0.15", PAYMENT_CONCURRENCY: "0" });
  t.equal(workerScaling.finish?.(plan.parameters).measuredSeconds, 3);
});

t.test("services take what every row gives them", async (t) => {
  for (const { parameters } of workerScaling.rows ?? []) {
    for (const compress of [1, 7, 40]) {
      const { services } = planRun(workerScaling, { parameters: { ...parameters, compress }, services: {} });
      await t.resolves(checkServiceSettings(services));
    }
  }
});

function figuresOf(findings: Record<string, number>): RunFigures {
  const highest = { queue_visible: 9, queue_in_flight: 1, workers: 42 };
  return { steps: [], parts: {}, highest, findings } as unknown as RunFigures;
}

t.test("the study's rows stand beside what was published, with what is wrong with it", async (t) => {
  const of = (changes: string) =>
    workerScaling.beside?.(figuresOf({ peak_depth: 1600 }), valuesOf(changes), {}) ?? [];
  const depth = (changes: string) =>
    of(changes).find(({ what }) => what.startsWith("peak depth, waiting or"));
  t.match(depth("workers=100"), { measured: 1600, model: 1580, published: 616, reason: /about 1,480 deep/ });
  t.match(depth("workers=5"), { published: 3277 });
  t.notOk(depth("workers=5")?.reason, "nothing is wrong with it");
  t.equal(depth("workers=5 compress=20")?.published, 3277, "depths do not depend on the speed");
  t.notOk(
    of("workers=5 compress=20").some(({ what }) => what === "median answer"),
    "latencies do",
  );
  const refused = (changes: string) =>
    workerScaling
      .beside?.(figuresOf({ not_accepted: 0 }), valuesOf(changes), {})
      .find(({ what }) => what === "not accepted");
  t.match(refused("workers=1"), { measured: 0, published: 1 });
  t.match(refused("workers=20"), { measured: 0, published: 0 });
  for (const other of [
    "workers=7",
    "workers=5 rate=20",
    "workers=5 seconds=30",
    "workers=5 payment_lines=1",
  ]) {
    t.equal(depth(other)?.published, null, `${other} is another experiment`);
  }
});

t.test("one payment at a time makes twenty workers one, by the model too", async (t) => {
  const lines = workerScaling.beside?.(figuresOf({}), valuesOf("workers=20 payment_lines=1"), {}) ?? [];
  t.match(
    lines.find(({ what }) => what === "processed"),
    { of: "20 workers, 1 payment at a time", model: 1 / 3 },
  );
});

t.test("of workers that come with the backlog there is no model, and it is told how many came", async (t) => {
  const lines = workerScaling.beside?.(figuresOf({}), valuesOf("workers=1 backlog_per_worker=3"), {}) ?? [];
  t.ok(lines.every(({ model, published }) => model === undefined && published === null));
  t.match(
    lines.find(({ what }) => what === "workers, at most"),
    { of: "1 to 200 workers", measured: 42 },
  );
});

t.test("what scaling leaves takes as many workers as may come so long at least", async (t) => {
  const values = valuesOf(`${quick} backlog_per_worker=3 most_workers=6`);
  const findings = scalingFindings(run, values, { until: 14.5, drainedInTime: false });
  t.match(findings, { left_after_watch: 6, drain_forecast_s: 5.5 });
  t.match(workerScaling.beside?.(figuresOf(findings), values, {}).at(-1), {
    what: "drain, at least",
    measured: 5.5,
    how: /the 6 orders left then are forecast at 6 a second, by as many workers as may come/,
  });
});
