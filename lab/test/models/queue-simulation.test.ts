import fc from "fast-check";
import t from "tap";
import { offeredLoad, type QueueParameters } from "../../src/models/queue.ts";
import { medianOfRuns, simulateQueue } from "../../src/models/queue-simulation.ts";

const study: QueueParameters = { arrivalsPerSecond: 58, arrivalSeconds: 60, serviceSeconds: 3, workers: 100 };

t.test("the same seed gives the same run, another seed another", async (t) => {
  const run = (seed: number) => simulateQueue(study, { arrivals: "poisson", seed });
  t.same(run(3), run(3));
  t.notSame(run(3), run(4));
});

t.test("what must hold in every run, random or not", async () => {
  const parameters = fc.record({
    arrivalsPerSecond: fc.double({ min: 0.05, max: 60, noNaN: true }),
    arrivalSeconds: fc.double({ min: 0.5, max: 60, noNaN: true }),
    serviceSeconds: fc.double({ min: 0.01, max: 10, noNaN: true }),
    workers: fc.integer({ min: 1, max: 100 }),
  });
  const options = fc.record({
    arrivals: fc.constantFrom("even" as const, "poisson" as const),
    service: fc.constantFrom("fixed" as const, "exponential" as const),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(parameters, options, (given, how) => {
      const run = simulateQueue(given, how);
      const more = simulateQueue({ ...given, workers: given.workers + 1 }, { ...how, service: "fixed" });
      const fixed = simulateQueue(given, { ...how, service: "fixed" });
      return (
        run.peakWaiting <= run.peakDepth &&
        run.peakDepth <= run.peakWaiting + given.workers &&
        run.peakDepth <= run.orders &&
        run.meanWaitSeconds <= run.maxWaitSeconds &&
        run.utilisation >= 0 &&
        run.utilisation <= 1 + 1e-9 &&
        // One worker more makes no order later.
        more.maxWaitSeconds <= fixed.maxWaitSeconds + 1e-9 &&
        more.drainSeconds <= fixed.drainSeconds + 1e-9
      );
    }),
    { seed: 61, numRuns: 300 },
  );
});

t.test("random arrivals matter near saturation, where the closed forms see no queue", async (t) => {
  const saturated = { ...study, workers: 174 };
  t.equal(offeredLoad(saturated), 1);
  const random = medianOfRuns(saturated, { arrivals: "poisson", runs: 25 });
  t.equal(simulateQueue(saturated).peakWaiting, 0);
  t.ok(random.peakWaiting > 30, `${random.peakWaiting} orders wait`);
});

t.test("more orders than fit into memory are refused", async (t) => {
  t.throws(() => simulateQueue({ ...study, arrivalSeconds: 1e6 }), { message: /too many to simulate/ });
});

t.test("no order at all is a run of nothing", async (t) => {
  const rare = { arrivalsPerSecond: 0.001, arrivalSeconds: 1, serviceSeconds: 1, workers: 1 };
  t.match(simulateQueue(rare, { arrivals: "poisson", seed: 1 }), {
    orders: 0,
    peakDepth: 0,
    drainSeconds: 0,
  });
});
