/** Which pairs are made, with which service times. The runs themselves: test/alone/calibrate.test.ts. */
import t from "tap";
import { orderOfPairs, variantOf } from "../../src/calibration/calibrate.ts";
import { logNormal } from "../../src/calibration/log-normal.ts";
import { asItIs } from "../../src/experiments/parameters.ts";
import { seededRandom } from "../../src/models/seeded-random.ts";

t.test("slow-down pairs are spread among the others", async (t) => {
  const told = (pairs: number, slowPairs: number) =>
    orderOfPairs(pairs, slowPairs).map(({ kind, number }) => (kind === "A/A" ? number : `slow ${number}`));
  t.same(told(4, 2), [1, 2, "slow 1", 3, 4, "slow 2"]);
  t.same(told(2, 1), [1, 2, "slow 1"]);
  t.same(told(1, 3), [1, "slow 1", "slow 2", "slow 3"]);
  t.same(told(0, 2), ["slow 1", "slow 2"]);
  t.equal(told(100, 20).length, 120);
});

t.test("only B of a slow-down pair is slowed down, from what was set", async (t) => {
  const plan = { pairs: 1, slowPairs: 1, repeats: 5, slowDown: 0.2, variant: asItIs };
  const of = (kind: "A/A" | "slow-down", side: "A" | "B", parameters = {}) =>
    variantOf({ ...plan, variant: { parameters, services: {} } }, kind, side, 7).parameters;
  t.same(of("A/A", "A"), { service_ms: 20, seed: 7 });
  t.same(of("A/A", "B"), { service_ms: 20, seed: 7 });
  t.same(of("slow-down", "A"), { service_ms: 20, seed: 7 });
  t.same(of("slow-down", "B"), { service_ms: 24, seed: 7 });
  t.same(of("slow-down", "B", { service_ms: 50, rate: 20 }), { service_ms: 60, rate: 20, seed: 7 });
});

t.test("log-normal numbers have the mean and the variation that were asked for", async (t) => {
  const random = seededRandom(3);
  const drawn = Array.from({ length: 100_000 }, () => logNormal(random, 20, 0.5));
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
  t.ok(Math.abs(mean / 20 - 1) < 0.01, `mean ${mean}`);
  t.ok(Math.abs(Math.sqrt(variance) / mean / 0.5 - 1) < 0.03, `deviation ${Math.sqrt(variance)}`);
  t.equal(logNormal(random, 20, 0), 20);
});
