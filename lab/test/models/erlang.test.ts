import t from "tap";
import { allenCunneen, erlangC, steadyState } from "../../src/models/erlang.ts";
import { simulateQueue } from "../../src/models/queue-simulation.ts";

t.test("Erlang C where it can be written out", async (t) => {
  // One worker: the probability of waiting is the load. Two: 2ρ² / (1 + ρ).
  t.ok(Math.abs(erlangC(0.7, 1) - 0.7) < 1e-12);
  t.ok(Math.abs(erlangC(1.5, 2) - (2 * 0.75 ** 2) / 1.75) < 1e-12);
  t.ok(erlangC(900, 1_000) > 0 && erlangC(900, 1_000) < 0.001, "no overflow with a thousand workers");
});

t.test("one worker: M/M/1 and Pollaczek–Khinchine's M/D/1, for which Allen–Cunneen is exact", async (t) => {
  const state = steadyState(0.8, 1, 1);
  t.ok(state);
  t.ok(Math.abs((state?.meanWaitExponential ?? 0) - 4) < 1e-9);
  t.ok(Math.abs((state?.meanWaitFixed ?? 0) - 2) < 1e-9);
  t.equal(allenCunneen(4, { arrivalVariation: 0, serviceVariation: 0 }), 0);
});

t.test("no steady state when the workers cannot keep up", async (t) => {
  t.equal(steadyState(58, 3, 174), undefined);
  t.equal(steadyState(58, 3, 100), undefined);
  t.ok(steadyState(58, 3, 175));
});

t.test("the simulation waits as long as the formulas say", async (t) => {
  for (const [rate, service, workers] of [
    [4, 2, 10],
    [9, 1, 10],
    [1.6, 1, 2],
  ] as const) {
    const given = {
      arrivalsPerSecond: rate,
      serviceSeconds: service,
      workers,
      arrivalSeconds: 400_000 / rate,
    };
    const state = steadyState(rate, service, workers);
    const mean = (kind: "fixed" | "exponential") =>
      simulateQueue(given, { arrivals: "poisson", service: kind, seed: 11 }).meanWaitSeconds;
    const exact = mean("exponential") / (state?.meanWaitExponential ?? 0);
    t.ok(Math.abs(exact - 1) < 0.08, `M/M/${workers}: ${exact.toFixed(3)} of Erlang's wait`);
    const near = mean("fixed") / (state?.meanWaitFixed ?? 0);
    t.ok(Math.abs(near - 1) < 0.15, `M/D/${workers}: ${near.toFixed(3)} of Allen and Cunneen's wait`);
  }
});
