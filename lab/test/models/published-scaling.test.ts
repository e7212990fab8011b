/** The queue model beside the published worker scaling: what it confirms, and which rows it contradicts. */
import t from "tap";
import { evenQueue, fluidQueue, type QueueParameters } from "../../src/models/queue.ts";
import { medianOfRuns } from "../../src/models/queue-simulation.ts";
import { workersToKeepUp } from "../../src/models/workers-needed.ts";
import { publishedOrdersScaling } from "../../src/published/index.ts";

const study = publishedOrdersScaling();
const parameters = (workers: number): QueueParameters => ({
  arrivalsPerSecond: study.workload.arrivalsPerSecond,
  arrivalSeconds: study.workload.durationSeconds,
  serviceSeconds: study.workload.paymentSeconds,
  workers,
});
const contradiction = (workers: number) =>
  study.contradictions.find((text) => text.startsWith(`${workers} workers:`));
const within = (value: number, other: number, share: number) => Math.abs(value / other - 1) <= share;

t.test("the model contradicts the rows that the contradictions name, and no others", async (t) => {
  const contradicted = study.workers.filter(
    ({ workers, peakQueueDepth }) => !within(peakQueueDepth, fluidQueue(parameters(workers)).peakDepth, 0.05),
  );
  t.same(
    contradicted.map(({ workers }) => workers),
    [20, 100],
  );
  t.same(
    study.workers.filter(({ workers }) => contradiction(workers)).map(({ workers }) => workers),
    [20, 100],
  );
});

t.test("1 and 5 workers are confirmed: depth and drain within 5 %, by formula and exact model", async (t) => {
  for (const row of study.workers.slice(0, 2)) {
    for (const model of [fluidQueue, evenQueue]) {
      const figures = model(parameters(row.workers));
      t.ok(within(row.peakQueueDepth, figures.peakDepth, 0.05), `${row.workers}: ${figures.peakDepth} deep`);
      t.ok(within(row.drainSeconds, figures.drainSeconds, 0.05), `${row.workers}: ${figures.drainSeconds} s`);
    }
  }
});

t.test("20 workers: about 3,080 deep by the published rates, published 2,579", async (t) => {
  t.equal(Math.round(fluidQueue(parameters(20)).peakDepth), 3080);
  t.match(contradiction(20), /about 3,080 deep, published 2,579/);
  t.equal(study.workers[2]?.peakQueueDepth, 2579);
});

t.test("100 workers: about 1,480 deep and 46 s to drain, published 616 and 18 s", async (t) => {
  t.match(study.workers[3], { workers: 100, peakQueueDepth: 616, drainSeconds: 18 });
  t.match(contradiction(100), /about 1,480 deep, published 616 and an 18 s drain.*46 to 56 s/);
  t.equal(Math.round(fluidQueue(parameters(100)).peakDepth), 1480);
  const exact = evenQueue(parameters(100));
  t.equal(exact.peakDepth, 1580, "waiting and in flight");
  t.equal(exact.peakWaiting, 1480, "waiting only");
  t.equal(Math.round(exact.drainSeconds), 46);
  const random = medianOfRuns(parameters(100), { arrivals: "poisson", runs: 25 });
  t.ok(random.drainSeconds >= 44 && random.drainSeconds <= 56, `${random.drainSeconds} s`);
  // No reading of "queue depth" rescues the row: both figures are half of what waits.
  t.ok(616 < exact.peakWaiting / 2 && 18 < exact.drainSeconds / 2);
});

t.test(
  "each published drain is its own depth at its own rate: one figure of a row was computed from another",
  async (t) => {
    for (const { workers, peakQueueDepth, ratePerSecond, drainSeconds } of study.workers) {
      t.ok(within(peakQueueDepth / ratePerSecond, drainSeconds, 0.03), `${workers} workers`);
    }
  },
);

t.test(
  "one payment at a time makes a hundred workers one: the limit was dropped without saying so",
  async (t) => {
    const limited = fluidQueue({ ...parameters(100), paymentLines: 1 });
    t.same(limited, fluidQueue(parameters(1)));
    t.match(study.contradictions.join("\n"), /the limit was dropped without saying so/);
  },
);

t.test(
  "workers needed: 18, 174 and 180; the published 176 and 182 come from a rate cut to 0.33",
  async (t) => {
    const needed = (arrivalsPerSecond: number) =>
      workersToKeepUp({
        arrivalsPerSecond,
        arrivalSeconds: 60,
        serviceSeconds: study.workload.paymentSeconds,
      }).workers;
    const { perSecond6, perSecond58, perSecond60 } = study.workersNeeded;
    t.equal(needed(6), perSecond6);
    t.equal(needed(58), 174);
    t.equal(perSecond58, Math.ceil(58 / 0.33));
    t.equal(needed(60), 180);
    t.equal(perSecond60, Math.ceil(60 / 0.33));
  },
);
