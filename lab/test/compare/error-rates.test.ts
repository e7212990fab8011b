/**
 * How often the comparison is wrong, on simulated repeats: false alarms between sides that are alike (A/A), and real
 * slow-downs that it finds. Each shape of noise has a seed of its own, so that a failure can be run again.
 * COMPARE_PAIRS sets how many pairs are simulated of each.
 */
import t from "tap";
import { type ComparableRun, compareSets } from "../../src/compare/compare-sets.ts";
import type { Call } from "../../src/compare/metrics.ts";
import { effectOf } from "../../src/compare/ratio-interval.ts";
import { drawOf, interleaved, type Noise, noises, oneAfterTheOther, simulate } from "./samples.ts";

const PAIRS = Number(process.env.COMPARE_PAIRS ?? 2_000);
const RUNS = 5;
/** What five against five promise: two splits of 252. */
const FALSE_ALARMS = 2 / 252;

for (const [index, [shape, noise]] of Object.entries(noises).entries()) {
  t.test(`A/A, ${shape}, five against five in turns: called different in 2 of 252 at most`, async (t) => {
    const rate = shareOf({ seed: index + 1, noise, order: interleaved(RUNS) }, different);
    t.comment(`${(100 * rate).toFixed(2)} % of ${PAIRS} pairs`);
    t.ok(rate <= FALSE_ALARMS + chance(FALSE_ALARMS), `${rate}`);
    t.ok(rate <= 0.02, "the project's own limit");
  });
}

t.test("A/A at other numbers of runs", async (t) => {
  const noise = noiseOf("log-normal");
  // These have up to 5,005 splits each.
  const pairs = PAIRS / 2;
  for (const order of ["AB".repeat(7), "AAABB".repeat(3), `${"AB".repeat(5)}A`]) {
    const rate = shareOf({ seed: order.length, noise, order, pairs }, different);
    t.ok(rate <= 0.01 + chance(0.01, pairs), `${order}: ${rate}`);
  }
});

t.test("a slow-down of 20 % is found at a run-to-run variation of 3 %", async (t) => {
  const noise = noiseOf("log-normal");
  for (const [factor, call] of [
    [1.2, "worse"],
    [1 / 1.2, "better"],
  ] as const) {
    const rate = shareOf({ seed: 20, noise, order: interleaved(RUNS), factor }, (found) => found === call);
    t.comment(`${(100 * rate).toFixed(2)} % of ${PAIRS} pairs called ${call}`);
    t.ok(rate >= 0.99, `${rate}`);
  }
});

t.test("and with a drift of 10 % over the runs, if they are made in turns", async (t) => {
  const noise = noiseOf("drift of 10 %");
  const rate = shareOf(
    { seed: 21, noise, order: interleaved(RUNS), factor: 1.2 },
    (call) => call === "worse",
  );
  t.ok(rate >= 0.97, `${rate}`);
});

t.test("one side after the other, drift is called a difference: what taking turns is for", async (t) => {
  const noise = noiseOf("drift of 10 %");
  const rate = shareOf({ seed: 22, noise, order: oneAfterTheOther(RUNS) }, different);
  t.comment(`${(100 * rate).toFixed(2)} % of ${PAIRS} A/A pairs are called different`);
  t.ok(rate > 0.05, `${rate}`);
});

t.test("the interval holds the true ratio in 99 of 100", async (t) => {
  const draw = drawOf(23);
  let held = 0;
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const { a, b } = simulate(draw, noiseOf("log-normal"), interleaved(RUNS), 1.2);
    const { lower, upper } = effectOf(a, b);
    if (lower !== null && upper !== null && lower <= 1.2 && 1.2 <= upper) held += 1;
  }
  t.ok(held / PAIRS >= 0.99 - chance(0.01), `${held / PAIRS}`);
});

interface Simulation {
  readonly seed: number;
  readonly noise: Noise;
  readonly order: string;
  /** How much slower B is. */
  readonly factor?: number;
  readonly pairs?: number;
}

/** Share of the pairs whose headline is such a call. */
function shareOf(simulation: Simulation, counts: (call: Call) => boolean): number {
  const { seed, noise, order, factor, pairs = PAIRS } = simulation;
  const draw = drawOf(seed);
  let count = 0;
  for (let pair = 0; pair < pairs; pair += 1) {
    const { a, b } = simulate(draw, noise, order, factor);
    const { headline } = compareSets(a.map(run), b.map(run));
    if (headline && counts(headline.call)) count += 1;
  }
  return count / pairs;
}

/** Three standard deviations of a share that is seen in so many pairs. */
function chance(share: number, pairs = PAIRS): number {
  return 3 * Math.sqrt((share * (1 - share)) / pairs);
}

function run(latency: number, index: number): ComparableRun {
  return { directory: `run-${index}`, metrics: { latency_p50_ms: latency }, about: {} };
}

function different(call: Call): boolean {
  return call === "better" || call === "worse";
}

function noiseOf(shape: string): Noise {
  const noise = noises[shape];
  if (noise === undefined) throw new RangeError(`There is no noise ${shape}.`);
  return noise;
}
