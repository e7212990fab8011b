import fc from "fast-check";
import t from "tap";
import { evenQueue } from "../../src/models/queue.ts";
import { workersForDrain, workersForWait, workersToKeepUp } from "../../src/models/workers-needed.ts";

const study = { arrivalsPerSecond: 58, arrivalSeconds: 60, serviceSeconds: 3 };

t.test("to keep up", async (t) => {
  t.same(workersToKeepUp(study), { workers: 174 });
  t.same(workersToKeepUp({ ...study, arrivalsPerSecond: 6 }), { workers: 18 });
  t.same(workersToKeepUp({ ...study, arrivalsPerSecond: 0.1, serviceSeconds: 30 }), { workers: 3 });
  t.match(workersToKeepUp({ ...study, paymentLines: 1 }), {
    workers: undefined,
    reason: /no more than 1 at a time/,
  });
});

t.test("for a longest wait and a drain: enough, and one less is not", async () => {
  const demand = fc.record({
    arrivalsPerSecond: fc.integer({ min: 1, max: 60 }),
    arrivalSeconds: fc.integer({ min: 1, max: 60 }),
    serviceSeconds: fc.double({ min: 0.1, max: 5, noNaN: true }),
  });
  fc.assert(
    fc.property(demand, fc.double({ min: 0, max: 60, noNaN: true }), (given, seconds) => {
      const meets = (workers: number, name: "maxWaitSeconds" | "drainSeconds") =>
        workers > 0 && evenQueue({ ...given, workers })[name] <= seconds + 1e-9;
      const forWait = workersForWait(given, seconds).workers ?? 0;
      const forDrain = workersForDrain(given, seconds).workers;
      return (
        meets(forWait, "maxWaitSeconds") &&
        !meets(forWait - 1, "maxWaitSeconds") &&
        (forDrain === undefined || (meets(forDrain, "drainSeconds") && !meets(forDrain - 1, "drainSeconds")))
      );
    }),
    { seed: 174, numRuns: 200 },
  );
});

t.test("what no number of workers can do is said", async (t) => {
  t.match(workersForDrain(study, 1), { workers: undefined, reason: /one order alone takes 3 s/ });
  t.match(workersForWait({ ...study, paymentLines: 1 }, 10), {
    workers: undefined,
    reason: /at a time/,
  });
});
