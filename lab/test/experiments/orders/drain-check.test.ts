import t from "tap";
import { checkDrain, isClose } from "../../../src/experiments/orders/drain-check.ts";
import { workerScaling } from "../../../src/experiments/orders/worker-scaling.ts";
import { parseVariant, resolveParameters } from "../../../src/experiments/parameters.ts";
import { exactly } from "./exact-queue.ts";

/** As bench/queue-model.ts runs them: each payment takes so many milliseconds longer than it should, by the clock. */
function check(changes: string, overheadMs: number, share = 0.25) {
  const values = resolveParameters(workerScaling, parseVariant(changes).parameters);
  const { rate = 0, seconds = 0, payment_seconds = 0, workers = 0, compress = 1 } = values;
  const orders = exactly({
    arrivalsPerSecond: rate * compress,
    arrivalSeconds: seconds / compress,
    serviceSeconds: payment_seconds / compress + overheadMs / 1000,
    workers,
  });
  return checkDrain({ orders, notAccepted: 0 }, values, share);
}

for (const row of [
  "workers=1 compress=4 seconds=10",
  "workers=5 compress=4 seconds=20",
  "workers=20 compress=4 seconds=40",
  "workers=100 compress=2 seconds=60",
]) {
  t.test(
    `${row}: a quarter of the drain tells the rest, whatever orders cost beside their payment`,
    async (t) => {
      for (const overheadMs of [0, 10, 60]) {
        const checked = check(row, overheadMs);
        t.ok(Math.abs(checked.drainFinished.percent) < 0.5, `${checked.drainFinished.percent} %`);
        t.ok(isClose(checked, 5), `${checked.peakDepth.percent} % of the depth`);
        if (overheadMs < 60) continue;
        t.ok(checked.drainByModel.percent < -3.5, "the model alone is short of it");
        t.ok((checked.measuredPerSecond ?? 0) > 0);
      }
    },
  );
}

t.test("where the first part has too few payments, the model alone finishes, and is not close", async (t) => {
  const { drainFinished, measuredPerSecond } = check("workers=1 compress=4 seconds=2 rate=30", 75);
  t.equal(measuredPerSecond, undefined);
  t.ok(drainFinished.percent < -5, `${drainFinished.percent} %`);
});

t.test("a depth that is not the model's is told", async (t) => {
  const values = resolveParameters(workerScaling, parseVariant("workers=5 seconds=20").parameters);
  const few = exactly({ arrivalsPerSecond: 40, arrivalSeconds: 20, serviceSeconds: 3, workers: 5 });
  const checked = checkDrain({ orders: few, notAccepted: 360 }, values, 0.25);
  t.ok(checked.peakDepth.percent > 30, `${checked.peakDepth.percent} %`);
  t.notOk(isClose(checked, 5));
});

t.test("of a drain that is over there is nothing to forecast, and so nothing that is close", async (t) => {
  t.notOk(isClose(check("workers=5 seconds=20", 0, 1), 5));
});
