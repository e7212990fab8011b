/** The Lambda experiment's load, its figures beside the published ones, and the lab that it refuses. */

import t from "tap";
import type { RunFigures } from "../../src/experiments/figures.ts";
import { lambdaVsWorkers } from "../../src/experiments/orders/lambda-vs-workers.ts";
import { planRun } from "../../src/experiments/plan-run.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";

const published = { orders: 5, payment_seconds: 3 };

function figures(findings: Record<string, number>): RunFigures {
  return { findings, steps: [], highest: {} } as unknown as RunFigures;
}

const asPublished = {
  cold_orders: 5,
  warm_orders: 5,
  init_ms: 65.91,
  own_init_ms: 60,
  cold_total_ms: 3072,
  warm_total_ms: 3004,
  overhead_percent: (68 / 3004) * 100,
};

t.test("five orders of one customer, each after the one before is done, then five more", async (t) => {
  const { steps, services } = planRun(lambdaVsWorkers);
  t.match(steps, [
    { name: "cold", begins: 0, seconds: 35, arrivals: { model: "closed", users: 1, think_seconds: 7 } },
    { name: "warm", begins: 35, seconds: 30, arrivals: { users: 1, think_seconds: 6 } },
  ]);
  t.same(services, { "orders-payments": { PAYMENT_SECONDS: "3", PAYMENT_CONCURRENCY: "0" } });
});

t.test("a run as published stands beside the published figures", async (t) => {
  const lines = lambdaVsWorkers.beside?.(figures(asPublished), published, {}) ?? [];
  const line = (what: string) => lines.find((each) => each.what === what);
  t.match(line("init, by REPORT lines"), { measured: 65.91, published: 65.91 });
  t.notHas(line("init, by REPORT lines"), "reason");
  t.match(line("overhead"), { published: 2.2, reason: /2\.3 %/ });
  const [cold, warm] = lines.filter(({ what }) => what === "total, median");
  t.match(cold, { of: "cold", measured: 3072, published: 3072 });
  t.match(warm, { of: "warm", measured: 3004, published: 3004 });
  // 400,000 GB-seconds ÷ (0.5 GB × 3.004 s) and ÷ (0.5 GB × 3 s).
  t.match(line("orders a month that cost nothing"), {
    measured: 266_311,
    how: /computed/,
    model: 266_666,
    published: 267_000,
  });
  t.match(line("two Fargate tasks, a month"), { measured: null, published: 17 });
  t.equal(line("two Fargate tasks, a month")?.model?.toFixed(2), "18.02");
});

t.test("with other payments, only what does not depend on them is held against the study", async (t) => {
  const lines =
    lambdaVsWorkers.beside?.(figures(asPublished), { ...published, payment_seconds: 1 }, {}) ?? [];
  const withPublished = lines.filter((each) => each.published !== null).map(({ what }) => what);
  t.same(withPublished, [
    "init, by REPORT lines",
    "init, by the function's clock",
    "two Fargate tasks, a month",
  ]);
});

t.test("what the platform does not tell is said, not made up", async (t) => {
  const { init_ms: _, ...findings } = asPublished;
  const lines = lambdaVsWorkers.beside?.(figures(findings), published, {}) ?? [];
  t.match(lines[0], { measured: null, reason: /no Init Duration/ });
  const readings = lambdaVsWorkers.readings?.(figures(findings), published).join("\n");
  t.match(readings, /do not tell an Init Duration[\s\S]*ready 60 ms after/);
  const none = lambdaVsWorkers.readings?.(figures({}), published).join("\n");
  t.match(none, /0 orders met a new environment and 0 a warm one, of 5 each/);
  t.notMatch(none, /added/);
});

t.test("readings: what a cold start adds, and the bill", async (t) => {
  const readings = lambdaVsWorkers.readings?.(figures(asPublished), published) ?? [];
  t.match(readings[0], /added 68 ms to an order of 3004 ms/);
  t.match(readings[1], /18\.02 USD a month.*up to 266,311 orders.*as much as the tasks at 986,\d{3}/);
  t.equal(readings.length, 2);
});

t.test("a lab with workers is refused, with the command that makes the right one", async (t) => {
  const lab = (CONSUMER: string) => ({ variables: async () => ({ CONSUMER }) }) as unknown as Runtime;
  await t.rejects(async () => lambdaVsWorkers.assertUsable?.(lab("workers")), {
    code: "USAGE",
    remedy: /make up CONSUMER=lambda EMULATOR=ministack/,
  });
  await t.resolves(async () => lambdaVsWorkers.assertUsable?.(lab("lambda")));
});
