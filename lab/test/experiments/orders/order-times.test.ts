import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { depthFigures, readOrderTimes } from "../../../src/experiments/orders/order-times.ts";
import { evenQueue } from "../../../src/models/queue.ts";
import { exactly } from "./exact-queue.ts";

t.test("the depth is what was accepted and not yet paid, at its worst moment", async (t) => {
  const orders = [
    { accepted: 0, paid: 3 },
    { accepted: 1, paid: 6 },
    { accepted: 2, paid: 9 },
    { accepted: 7, paid: undefined },
  ];
  t.same(depthFigures(orders, { serviceSeconds: 3, until: 100 }), {
    peakDepth: 3,
    peakWaiting: 2,
    done: 3,
    left: 1,
    lastPaid: 9,
  });
  t.match(depthFigures(orders, { serviceSeconds: 3, until: 6.5 }), { done: 2, left: 1, lastPaid: 6 });
});

t.test("a watch that ends within the payment of the last orders cannot tell how many waited", async (t) => {
  const orders = [
    { accepted: 0, paid: 3 },
    { accepted: 4, paid: 9 },
    { accepted: 5, paid: 9.1 },
  ];
  const at = (until: number) => depthFigures(orders, { serviceSeconds: 3, until });
  t.match(at(7.9), { peakDepth: 2, peakWaiting: undefined, left: 2 });
  t.match(at(8), { peakWaiting: 2 }, "done fast after the watch, they are not taken to have begun in it");
  t.match(at(9.1), { peakWaiting: 2, left: 0 }, "all begun, and known when");
});

t.test("a run without orders has no depth", async (t) => {
  const nothing = { peakDepth: 0, peakWaiting: 0, done: 0, left: 0, lastPaid: 0 };
  t.same(depthFigures([], { serviceSeconds: 1, until: 10 }), nothing);
});

t.test("of an exact queue, the figures are the model's", async () => {
  fc.assert(
    fc.property(
      fc.record({
        arrivalsPerSecond: fc.integer({ min: 1, max: 60 }),
        arrivalSeconds: fc.integer({ min: 1, max: 20 }),
        serviceSeconds: fc.integer({ min: 1, max: 5 }),
        workers: fc.integer({ min: 1, max: 40 }),
      }),
      (parameters) => {
        const model = evenQueue(parameters);
        const measured = depthFigures(exactly(parameters), {
          serviceSeconds: parameters.serviceSeconds,
          until: Number.POSITIVE_INFINITY,
        });
        // At a moment at which one comes and another goes, either may be first.
        return (
          measured.left === 0 &&
          Math.abs(measured.peakDepth - model.peakDepth) <= parameters.workers &&
          Math.abs(measured.lastPaid - parameters.arrivalSeconds - model.drainSeconds) < 1e-6
        );
      },
    ),
  );
});

t.test("the study's own queue has the model's depth", async (t) => {
  for (const workers of [1, 5, 20, 100]) {
    const parameters = { arrivalsPerSecond: 58, arrivalSeconds: 60, serviceSeconds: 3, workers };
    const model = evenQueue(parameters);
    const measured = depthFigures(exactly(parameters), {
      serviceSeconds: 3,
      until: Number.POSITIVE_INFINITY,
    });
    t.ok(Math.abs(measured.peakDepth / model.peakDepth - 1) < 0.01, `${workers}: ${measured.peakDepth}`);
    t.ok(
      Math.abs((measured.peakWaiting ?? Number.NaN) / model.peakWaiting - 1) < 0.01,
      `${workers}: ${measured.peakWaiting}`,
    );
  }
});

t.test("times come from the clients' answers and the provider's ledger", async (t) => {
  const line = (id: string, at: number, status: number) =>
    `${JSON.stringify({ at, wall_ms: 5, ms: 4, status, step: "load", op: "place", id })}\n`;
  const directory = t.testdir({
    "answers.jsonl": `{"load_begins":999}\n${line("a", 1000, 202)}${line("b", 1500, 202)}${line("c", 1600, 503)}`,
  });
  const charge = {
    seq: 1,
    charge_id: "x",
    amount_minor: 1,
    order_id: "a",
    charged_at: new Date(4000).toISOString(),
  };
  t.same(await readOrderTimes(join(directory, "answers.jsonl"), [charge]), {
    began: 1000,
    orders: [
      { accepted: 0.005, paid: 3 },
      { accepted: 0.505, paid: undefined },
    ],
    notAccepted: 1,
  });
});
