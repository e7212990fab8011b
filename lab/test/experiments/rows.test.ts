import t from "tap";
import type { Experiment } from "../../src/experiments/experiment.ts";
import { brokers } from "../../src/experiments/orders/brokers.ts";
import { smoke } from "../../src/experiments/orders/smoke.ts";
import { workerScaling } from "../../src/experiments/orders/worker-scaling.ts";
import { asItIs, mergeVariants, parseVariant } from "../../src/experiments/parameters.ts";
import { planRun } from "../../src/experiments/plan-run.ts";
import { rowsInTurns, rowsOf } from "../../src/experiments/rows.ts";

t.test("an experiment without rows is one run", async (t) => {
  const variant = parseVariant("rate=5");
  t.same(rowsOf(smoke, variant), [{ name: "", variant }]);
  t.equal(rowsInTurns(smoke, variant), undefined);
});

t.test("each row is the experiment with its own values, and a person's changes over all", async (t) => {
  const rows = rowsOf(workerScaling, parseVariant("compress=10"));
  t.same(
    rows.map(({ variant }) => [variant.parameters.workers, variant.parameters.payment_lines]),
    [
      [1, undefined],
      [5, undefined],
      [20, undefined],
      [100, undefined],
      [20, 1],
      [1, undefined],
    ],
  );
  t.ok(rows.every(({ variant }) => variant.parameters.compress === 10));
  t.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
});

t.test("who names what tells rows apart gets that one run", async (t) => {
  for (const text of ["workers=7", "payment_lines=2 rate=5"]) {
    const variant = parseVariant(text);
    t.same(rowsOf(workerScaling, variant), [{ name: "", variant }]);
  }
  const variant = parseVariant("orders-receiver.BROKER=bullmq orders-processor.BROKER=bullmq");
  t.same(rowsOf(brokers, variant), [{ name: "", variant }]);
  t.equal(
    rowsOf(brokers, parseVariant("orders-receiver.LOG_LEVEL=warn")).length,
    2,
    "what no row sets names none",
  );
});

t.test("two rows can be run in turns; of more, one has to be named", async (t) => {
  const [first, second] = rowsInTurns(brokers, parseVariant("rate=20")) ?? [];
  t.same(first, parseVariant("rate=20 orders-receiver.BROKER=sns-sqs orders-processor.BROKER=sns-sqs"));
  t.same(
    mergeVariants(first ?? asItIs, second ?? asItIs),
    parseVariant("rate=20 orders-receiver.BROKER=bullmq orders-processor.BROKER=bullmq"),
  );
  t.throws(() => rowsInTurns(workerScaling, asItIs), {
    code: "USAGE",
    message: /has 6 rows/,
    remedy: /workers, payment_lines, backlog_per_worker.*--set "workers=1"/,
  });
  t.equal(rowsInTurns(workerScaling, parseVariant("workers=5")), undefined);
});

t.test("a service that only the finish configures would not get its own configuration back", async (t) => {
  const careless: Experiment = {
    ...smoke,
    finish: () => ({ measuredSeconds: 1, services: { "orders-receiver": { LOG_LEVEL: "warn" } } }),
  };
  t.throws(() => planRun(careless), /orders-receiver is configured only for the finish/);
});
