import t from "tap";
import { brokers } from "../../src/experiments/orders/brokers.ts";
import { smoke } from "../../src/experiments/orders/smoke.ts";
import { syncVsAsync } from "../../src/experiments/orders/sync-vs-async.ts";
import { workerScaling } from "../../src/experiments/orders/worker-scaling.ts";
import { mergeVariants, parseVariant } from "../../src/experiments/parameters.ts";
import { planRun } from "../../src/experiments/plan-run.ts";
import { rowsOf } from "../../src/experiments/rows.ts";

t.test("what a table tells its rows apart by is set by its parameter alone", async (t) => {
  for (const { variant } of rowsOf(workerScaling, parseVariant("orders-processor.NUM_WORKERS=5"))) {
    t.throws(() => planRun(workerScaling, variant), {
      code: "USAGE",
      message: "In orders/worker-scaling, orders-processor.NUM_WORKERS follows from workers.",
      remedy: "Set workers=5 instead.",
    });
  }
  for (const [change, remedy] of [
    ["orders-payments.PAYMENT_CONCURRENCY=1", "Set payment_lines=1 instead."],
    ["orders-payments.PAYMENT_SECONDS=5", "Set payment_seconds=5 instead."],
    ["compress=2 orders-payments.PAYMENT_SECONDS=5", "Set payment_seconds or compress instead."],
    ["orders-processor.NUM_WORKERS=many", "Set workers instead."],
    ["orders-processor.SCALE_COOLDOWN_SECONDS=7", "Set compress instead."],
  ] as const) {
    t.throws(() => planRun(workerScaling, parseVariant(change)), { code: "USAGE", remedy }, change);
  }
  t.throws(() => planRun(syncVsAsync, parseVariant("orders-receiver.SYNC_ABANDON=drop")), {
    code: "USAGE",
    remedy: "Set abandon instead.",
  });
});

t.test("also where the same value was meant, and also on the other side of a comparison", async (t) => {
  const against = parseVariant("orders-processor.NUM_WORKERS=20");
  t.throws(() => planRun(workerScaling, mergeVariants(parseVariant("workers=20"), against)), {
    code: "USAGE",
  });
});

t.test("what follows from no parameter, and experiments without a table, take every variable", async (t) => {
  const services = (experiment: typeof smoke, change: string) =>
    planRun(experiment, parseVariant(change)).services;
  t.match(services(workerScaling, "orders-processor.LOG_LEVEL=warn"), {
    "orders-processor": { NUM_WORKERS: "20", LOG_LEVEL: "warn" },
  });
  t.match(services(brokers, "orders-processor.NUM_WORKERS=5"), { "orders-processor": { NUM_WORKERS: "5" } });
  t.match(services(smoke, "orders-processor.NUM_WORKERS=5"), { "orders-processor": { NUM_WORKERS: "5" } });
});
