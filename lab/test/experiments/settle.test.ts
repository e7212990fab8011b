/** Settling, in one stage or two: what is measured, what is finished fast, and what services are given for it. */
import t from "tap";
import type { Experiment, Observed } from "../../src/experiments/experiment.ts";
import { smoke } from "../../src/experiments/orders/smoke.ts";
import { planRun } from "../../src/experiments/plan-run.ts";
import { type SettleOptions, settleStages, untilAnswering } from "../../src/experiments/settle.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";

const boundedTo = (measuredSeconds: number): Experiment => ({
  ...smoke,
  finish: () => ({
    measuredSeconds,
    services: { "orders-payments": { PAYMENT_SECONDS: "0" }, "orders-processor": { NUM_WORKERS: "100" } },
  }),
});
const bounded = boundedTo(0.5);

function lab(experiment: Experiment, drained: (configured: number) => boolean) {
  const configured: [string, Record<string, string>][] = [];
  const stages: string[] = [];
  const runtime: Partial<Runtime> = {
    configure: async (service, environment) => void configured.push([service, environment]),
  };
  const options: SettleOptions = {
    experiment,
    runtime: runtime as Runtime,
    signal: AbortSignal.timeout(30_000),
    onStage: (text) => stages.push(text),
  };
  const observed = { drained: async () => drained(configured.length) } as Observed;
  const sampler = { stage: "load" as "load" | "settle" | "finish" };
  return {
    configured,
    stages,
    sampler,
    run: () => settleStages(options, planRun(experiment), observed, sampler),
  };
}

t.test("what settles in time is measured to its end, and nothing is changed", async (t) => {
  const { run, configured, sampler } = lab(boundedTo(60), () => true);
  t.match(await run(), { drained: true, drainedInTime: true });
  t.same(configured, []);
  t.equal(sampler.stage, "settle");
});

t.test("what does not is finished by other settings, over those of the run, and not measured", async (t) => {
  const { run, configured, sampler } = lab(bounded, (configured) => configured === 2);
  const began = Date.now();
  const settled = await run();
  t.match(settled, { drained: true, drainedInTime: false });
  t.ok(
    settled.measuredUntil >= began + 450 && settled.measuredUntil <= Date.now() - 600,
    "before the finish",
  );
  t.same(configured, [
    ["orders-payments", { PAYMENT_SECONDS: "0", PAYMENT_CONCURRENCY: "0" }],
    ["orders-processor", { NUM_WORKERS: "100" }],
  ]);
  t.equal(sampler.stage, "finish");
});

t.test("what does not settle even then is told", async (t) => {
  const { run } = lab({ ...bounded, settleSeconds: 0.5 }, () => false);
  t.match(await run(), { drained: false, drainedInTime: false });
});

t.test("without a bound all of it is measured", async (t) => {
  const { run, configured } = lab({ ...smoke, settleSeconds: 0.5 }, () => false);
  t.match(await run(), { drained: false, drainedInTime: false });
  t.same(configured, []);
});

t.test("a system that was frozen is waited for until it can be asked, drained or not", async (t) => {
  let asked = 0;
  const drained = async () => {
    asked += 1;
    if (asked < 3) throw new Error("no answer");
    return false;
  };
  await untilAnswering({ drained }, AbortSignal.timeout(10_000));
  t.equal(asked, 3);
  const never = async () => {
    throw new Error("no answer");
  };
  await t.rejects(untilAnswering({ drained: never }, AbortSignal.timeout(500)), { name: /Timeout|Abort/ });
});
