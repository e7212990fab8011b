import fc from "fast-check";
import t from "tap";
import {
  compress,
  depthAt,
  effectiveWorkers,
  evenQueue,
  fluidQueue,
  offeredLoad,
  type QueueParameters,
  secondsToDrain,
} from "../../src/models/queue.ts";
import { simulateQueue } from "../../src/models/queue-simulation.ts";

const study: QueueParameters = { arrivalsPerSecond: 58, arrivalSeconds: 60, serviceSeconds: 3, workers: 5 };

/** From far too few workers to far too many, from one order to some thousands. */
const parameters = fc.record({
  arrivalsPerSecond: fc.double({ min: 0.05, max: 120, noNaN: true }),
  arrivalSeconds: fc.double({ min: 1, max: 90, noNaN: true }),
  serviceSeconds: fc.double({ min: 0.01, max: 10, noNaN: true }),
  workers: fc.integer({ min: 1, max: 200 }),
  paymentLines: fc.integer({ min: 0, max: 50 }),
  drainCapSeconds: fc.integer({ min: 0, max: 100 }),
});
const settings = { seed: 58, numRuns: 400 };

t.test("the formula of the published study, term by term", async (t) => {
  t.match(fluidQueue({ ...study, workers: 20 }), {
    orders: 3480,
    processedPerSecond: 20 / 3,
    utilisation: 1,
  });
  t.ok(Math.abs(fluidQueue({ ...study, workers: 20 }).peakDepth - (58 - 20 / 3) * 60) < 1e-9);
  t.match(fluidQueue({ ...study, workers: 180 }), { peakDepth: 0, drainSeconds: 0, processedPerSecond: 58 });
});

t.test("even arrivals, counted by hand", async (t) => {
  // Orders at 0, 1, 2, 3; one worker, 2 s each: begun at 0, 2, 4, 6, done at 2, 4, 6, 8.
  const figures = evenQueue({ arrivalsPerSecond: 1, arrivalSeconds: 4, serviceSeconds: 2, workers: 1 });
  t.match(figures, {
    orders: 4,
    peakDepth: 3,
    peakWaiting: 2,
    drainSeconds: 4,
    meanWaitSeconds: 1.5,
    maxWaitSeconds: 3,
    processedPerSecond: 0.5,
    utilisation: 1,
  });
});

t.test("the closed form for even arrivals is the simulation, figure by figure", async () => {
  fc.assert(
    fc.property(parameters, (given) => {
      const exact = evenQueue(given);
      const run = simulateQueue(given);
      const close = (a: number, b: number, within: number) => Math.abs(a - b) <= within;
      return (
        exact.orders === run.orders &&
        // An order that comes in the very moment another goes may be counted before or after it.
        close(exact.peakDepth, run.peakDepth, 1) &&
        close(exact.peakWaiting, run.peakWaiting, 1) &&
        close(exact.leftAtCap ?? -1, run.leftAtCap ?? -2, 1) &&
        close(exact.drainSeconds, run.drainSeconds, 1e-6) &&
        close(exact.meanWaitSeconds, run.meanWaitSeconds, 1e-6) &&
        close(exact.maxWaitSeconds, run.maxWaitSeconds, 1e-6) &&
        close(exact.processedPerSecond, run.processedPerSecond, 1e-6) &&
        close(exact.utilisation, run.utilisation, 1e-6)
      );
    }),
    settings,
  );
});

t.test("the fluid model is too low by no more than one and a half orders a worker", async () => {
  const overloaded = parameters.filter((given) => offeredLoad(given) > 1);
  fc.assert(
    fc.property(overloaded, (given) => {
      const run = simulateQueue(given);
      const fluid = fluidQueue(given);
      const depthGap = run.peakDepth - fluid.peakDepth;
      const drainGap = run.drainSeconds - fluid.drainSeconds;
      const workers = effectiveWorkers(given);
      return (
        depthGap >= -1 &&
        depthGap <= 1.5 * workers + 2 &&
        drainGap >= -1e-6 &&
        drainGap <= 3 * given.serviceSeconds
      );
    }),
    settings,
  );
});

t.test("within 5 % of the simulation where the queue is long beside the workers", async () => {
  const long = parameters.filter(
    (given) => fluidQueue(given).peakDepth > 40 * Math.max(2, effectiveWorkers(given)),
  );
  fc.assert(
    fc.property(long, (given) => {
      const run = simulateQueue(given);
      const fluid = fluidQueue(given);
      return (["peakDepth", "drainSeconds", "maxWaitSeconds", "processedPerSecond"] as const).every(
        (name) => Math.abs(fluid[name] / run[name] - 1) <= 0.05,
      );
    }),
    { ...settings, numRuns: 100 },
  );
});

t.test("time can be compressed: depths stay, times shrink", async () => {
  fc.assert(
    fc.property(parameters, fc.constantFrom(2, 5, 20), (given, factor) => {
      const slow = simulateQueue(given, { arrivals: "poisson", seed: 7 });
      const fast = simulateQueue(compress(given, factor), { arrivals: "poisson", seed: 7 });
      return (
        slow.orders === fast.orders &&
        Math.abs(slow.peakDepth - fast.peakDepth) <= 1 &&
        Math.abs(slow.drainSeconds - fast.drainSeconds * factor) < 1e-5 &&
        Math.abs(slow.meanWaitSeconds - fast.meanWaitSeconds * factor) < 1e-5
      );
    }),
    { ...settings, numRuns: 100 },
  );
  t.throws(() => compress(study, 0), RangeError);
});

t.test("more workers than payment lines do no more work", async (t) => {
  t.equal(effectiveWorkers({ ...study, workers: 100, paymentLines: 1 }), 1);
  t.equal(effectiveWorkers({ ...study, workers: 100, paymentLines: 0 }), 100);
  t.equal(effectiveWorkers({ ...study, workers: 3, paymentLines: 7 }), 3);
  t.same(
    evenQueue({ ...study, workers: 100, paymentLines: 1 }),
    evenQueue({ ...study, workers: 1 }),
    "PAYMENT_CONCURRENCY=1 makes a hundred workers one",
  );
});

t.test("depth over time: up while orders come, down to nothing", async (t) => {
  const given = { ...study, workers: 100 };
  const { peakDepth, drainSeconds } = evenQueue(given);
  t.equal(depthAt(given, -1), 0);
  t.equal(depthAt(given, 0), 1);
  t.equal(depthAt(given, 60 - 1 / 58), peakDepth);
  t.equal(depthAt(given, 60 + drainSeconds), 0);
  t.equal(evenQueue({ ...given, drainCapSeconds: 20 }).leftAtCap, depthAt(given, 80));
});

t.test("a drain that is watched for a while only is finished by the model", async (t) => {
  const given = { ...study, drainCapSeconds: 30 };
  const { leftAtCap = 0, drainSeconds } = evenQueue(given);
  const total = 30 + secondsToDrain(leftAtCap, given);
  t.ok(Math.abs(total - drainSeconds) <= given.serviceSeconds, `${total} s for ${drainSeconds} s`);
  t.equal(secondsToDrain(100, { serviceSeconds: 3, workers: 20, paymentLines: 1 }), 300);
  t.equal(secondsToDrain(0, study), 0);
});

t.test("parameters that make no sense are named", async (t) => {
  for (const [name, value] of [
    ["arrivalsPerSecond", 0],
    ["arrivalSeconds", Number.NaN],
    ["serviceSeconds", -1],
    ["workers", 1.5],
    ["paymentLines", -1],
    ["drainCapSeconds", -1],
  ] as const) {
    for (const model of [fluidQueue, evenQueue, simulateQueue]) {
      t.throws(() => model({ ...study, [name]: value }), { name: "RangeError", message: new RegExp(name) });
    }
  }
});
