/** What runs leave in the lab: the next one does it first, and who is left with it is told. */
import t from "tap";
import { type Backlog, noteLeft, tellLeft, waitUntilEmpty } from "../../src/experiments/backlog.ts";
import type { Experiment } from "../../src/experiments/experiment.ts";
import { smoke } from "../../src/experiments/orders/smoke.ts";
import { planRun } from "../../src/experiments/plan-run.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";

const fast: Experiment = {
  ...smoke,
  finish: () => ({ measuredSeconds: 60, services: { "orders-payments": { PAYMENT_SECONDS: "0" } } }),
  services: () => ({ "orders-payments": { PAYMENT_SECONDS: "3", PAYMENT_CONCURRENCY: "1" } }),
};

function lab(experiment: Experiment, drained: (configured: number) => boolean) {
  const configured: [string, Record<string, string>][] = [];
  const stages: string[] = [];
  const interrupt = new AbortController();
  const runtime: Partial<Runtime> = {
    configure: async (service, environment) => void configured.push([service, environment]),
  };
  const options = {
    experiment,
    runtime: runtime as Runtime,
    signal: interrupt.signal,
    onStage: (text: string) => void stages.push(text),
  };
  return {
    configured,
    stages,
    interrupt,
    run: () =>
      waitUntilEmpty(options, planRun(experiment), { drained: async () => drained(configured.length) }),
  };
}

t.test("an empty lab is not touched", async (t) => {
  const { run, configured, stages } = lab(fast, () => true);
  t.equal(await run(), true);
  t.same(configured, []);
  t.same(stages, []);
});

t.test(
  "what an earlier run has left is done fast, and services go on with the settings of this one",
  async (t) => {
    const { run, configured, stages } = lab(fast, (configured) => configured > 0);
    t.equal(await run(), true);
    t.same(configured, [
      ["orders-payments", { PAYMENT_SECONDS: "0", PAYMENT_CONCURRENCY: "1" }],
      ["orders-payments", { PAYMENT_SECONDS: "3", PAYMENT_CONCURRENCY: "1" }],
    ]);
    t.match(stages, [/is done fast, first/]);
  },
);

t.test("what is only counted late is waited for, and no service is restarted for it", async (t) => {
  let asked = 0;
  const { run, configured } = lab(fast, () => {
    asked += 1;
    return asked > 2;
  });
  t.equal(await run(), true);
  t.same(configured, []);
});

t.test("what cannot be done in time is told, also then with the settings of the run", async (t) => {
  const { run, configured } = lab({ ...fast, settleSeconds: 0.5 }, () => false);
  t.equal(await run(), false);
  t.match(configured.at(-1), ["orders-payments", { PAYMENT_SECONDS: "3" }]);
});

t.test("an experiment that knows no faster way waits", async (t) => {
  const { run, configured, stages } = lab({ ...smoke, settleSeconds: 0.5 }, () => false);
  t.equal(await run(), false);
  t.same(configured, []);
  t.match(stages, [/waiting until/]);
});

t.test("Ctrl-C ends the waiting", async (t) => {
  const { run, interrupt } = lab(fast, (configured) => {
    if (configured > 0) interrupt.abort(new Error("Interrupted"));
    return false;
  });
  await t.rejects(run(), { cause: { message: "Interrupted" } });
});

t.test("of work that fails it is noted what is left, and the error is the work's", async (t) => {
  const noted = async (left: () => Promise<{ count: number; what: string }>, failure?: Error) => {
    const backlog: Backlog = { left: undefined };
    const work = noteLeft({ left }, backlog, async () => {
      if (failure) throw failure;
      return "done";
    });
    if (failure) await t.rejects(work, failure);
    else t.equal(await work, "done");
    return backlog;
  };
  const orders = async () => ({ count: 3412, what: "orders" });
  t.same(await noted(orders), { left: undefined });
  t.same(await noted(orders, new Error("it fell over")), { left: { count: 3412, what: "orders" } });
  const dead = async () => {
    throw new Error("no queue");
  };
  t.same(await noted(dead, new Error("it fell over")), { left: undefined });
  t.same(await noted(() => new Promise(() => {}), new Error("it fell over")), { left: undefined });
});

t.test("what is left is told with what becomes of it, and how to get rid of it", async (t) => {
  const left = { count: 3412, what: "orders" };
  t.match(
    tellLeft({ left }, fast),
    /^3,412 orders are still queued, .*"make queue-depth".* The next run of orders\/smoke does them fast .*"make clean" drops them/,
  );
  t.notMatch(tellLeft({ left }, smoke), /The next run/);
  t.equal(tellLeft({ left: { ...left, count: 0 } }, fast), undefined);
  t.equal(tellLeft({ left: undefined }, fast), undefined);
});
