import t from "tap";
import { judgePerformance } from "../../src/verdicts/performance.ts";
import { verdictOf } from "../../src/verdicts/verdict.ts";

const sound = {
  droppedIterations: 0,
  targetRate: 100,
  achievedRate: 99.5,
  generatorCpu: 0.3,
  crossedThresholds: [],
};

t.test("a run that did what it was asked is valid", async (t) => {
  t.same(judgePerformance(sound), { outcome: "valid", reasons: [] });
  t.equal(
    judgePerformance({ ...sound, targetRate: undefined, achievedRate: 1 }).outcome,
    "valid",
    "closed model",
  );
  t.equal(judgePerformance({ ...sound, generatorCpu: undefined }).outcome, "valid", "not known");
});

const faults = [
  ["dropped iterations", { droppedIterations: 1 }, /dropped/],
  ["a rate under 99 % of the target", { achievedRate: 98.9 }, /98\.9 iterations\/s/],
  ["a saturated generator", { generatorCpu: 0.81 }, /81 %/],
  ["a crossed threshold", { crossedThresholds: ["checks rate==1"] }, /checks rate==1/],
] as const;

for (const [what, change, reason] of faults) {
  t.test(`${what} makes it INVALID and says so`, async (t) => {
    const performance = judgePerformance({ ...sound, ...change });
    t.equal(performance.outcome, "INVALID");
    t.match(performance.reasons, [reason]);
  });
}

t.test("the worst outcome is the run's; no invariant at all is undecided", async (t) => {
  const invariant = (outcome: "held" | "broken" | "undecided") => ({
    name: "i",
    outcome,
    detail: "",
    counts: {},
  });
  t.equal(verdictOf([]).outcome, "undecided");
  t.equal(verdictOf([invariant("held")]).outcome, "held");
  t.equal(verdictOf([invariant("held"), invariant("undecided")]).outcome, "undecided");
  t.equal(verdictOf([invariant("undecided"), invariant("broken"), invariant("held")]).outcome, "broken");
});
