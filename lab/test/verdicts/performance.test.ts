import t from "tap";
import { judgeRun, judgeStep, type LoadFigures } from "../../src/verdicts/performance.ts";
import { verdictOf } from "../../src/verdicts/verdict.ts";

const open: LoadFigures = {
  arrivals: { model: "open", rate: 100 },
  seconds: 10,
  spannedSeconds: 10,
  requests: 995,
  iterations: 995,
  droppedIterations: 0,
  answers: 995,
  latencySeconds: 0.2,
  underWay: 20,
  meanCpu: 0.3,
  peakCpu: 0.4,
};

/** 50 users × 1/(0.2 + 0.3) s = 100 iterations a second. */
const closed: LoadFigures = {
  ...open,
  arrivals: { model: "closed", users: 50, think_seconds: 0.3 },
  requests: 1000,
  answers: 1000,
  iterations: 1000,
  underWay: 50,
};

t.test("a step that did what it was asked is valid", async (t) => {
  t.same(judgeStep(open), { outcome: "valid", reasons: [] });
  t.same(judgeStep(closed), { outcome: "valid", reasons: [] });
  const { meanCpu: _, peakCpu: __, ...unknown } = open;
  t.equal(judgeStep(unknown).outcome, "valid", "what the generator took is not known");
  t.equal(judgeStep({ ...closed, latencySeconds: 0.24 }).outcome, "valid", "8 % off is within Little's law");
});

const faults = [
  ["dropped iterations", { ...open, droppedIterations: 1 }, /1 iterations were dropped/],
  ["a rate under 99 % of the target", { ...open, iterations: 989 }, /98\.9 iterations\/s/],
  ["a generator that is saturated in the mean", { ...open, meanCpu: 0.81 }, /81 %/],
  ["a generator that is saturated for five seconds", { ...open, peakCpu: 0.93 }, /93 %/],
  ["no answer at all", { ...open, answers: 0 }, /no answer/],
  ["a request without a line", { ...open, answers: 994 }, /1 of 995 requests have no line/],
  ["users that wait for the generator", { ...open, underWay: 25 }, /Little's law.*25\.0 users under way/],
  ["users that think longer than is said", { ...closed, iterations: 850 }, /Little's law.*50\.0 users/],
] as const satisfies readonly (readonly [string, LoadFigures, RegExp])[];

for (const [what, figures, reason] of faults) {
  t.test(`${what} makes a step INVALID and says so`, async (t) => {
    const performance = judgeStep(figures);
    t.equal(performance.outcome, "INVALID");
    t.match(performance.reasons, [reason]);
  });
}

t.test("few users are held to the law too, but for what a shared machine holds them up by", async (t) => {
  const few: LoadFigures = {
    ...open,
    arrivals: { model: "open", rate: 20 },
    iterations: 200,
    requests: 200,
    answers: 200,
    latencySeconds: 0.005,
  };
  // 20/s × 5 ms = 0.1 users; 3 ms for each iteration beside that.
  t.equal(judgeStep({ ...few, underWay: 0.155 }).outcome, "valid");
  t.equal(judgeStep({ ...few, underWay: 0.2 }).outcome, "INVALID");
});

t.test("iterations that end after their step do not bend the law", async (t) => {
  // 100 users, 6 s each, for 10 s: the second iteration of each ends at 12 s.
  const late: LoadFigures = {
    ...closed,
    arrivals: { model: "closed", users: 100, think_seconds: 0 },
    iterations: 200,
    requests: 200,
    answers: 200,
    latencySeconds: 6,
    spannedSeconds: 12,
    underWay: 100,
  };
  t.same(judgeStep(late), { outcome: "valid", reasons: [] });
});

t.test("a run is its one step; of several, those that are INVALID are named", async (t) => {
  const valid = { outcome: "valid", reasons: [] } as const;
  const invalid = { outcome: "INVALID", reasons: ["it was dropped"] } as const;
  t.same(judgeRun([{ name: "load", performance: invalid }]), invalid);
  t.same(
    judgeRun([
      { name: "r50", performance: valid },
      { name: "r100", performance: invalid },
    ]),
    { outcome: "valid", reasons: ["r100: it was dropped"] },
  );
  t.equal(
    judgeRun([
      { name: "r50", performance: invalid },
      { name: "r100", performance: invalid },
    ]).outcome,
    "INVALID",
  );
  t.match(judgeRun([{ name: "load", performance: valid }], { unreadableLines: 3 }), {
    outcome: "INVALID",
    reasons: [/3 lines/],
  });
  t.equal(judgeRun([]).outcome, "INVALID", "a run without a measured step measured nothing");
});

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

t.test("users who leave with their last answers, long after the step, are within the law", async (t) => {
  // 20 users and one payment of 3 s at a time, 30 s of patience: 49 orders, the last given up at 90 s.
  const line: LoadFigures = {
    ...closed,
    arrivals: { model: "closed", users: 20, think_seconds: 0 },
    seconds: 60,
    spannedSeconds: 90,
    iterations: 49,
    requests: 49,
    answers: 49,
    latencySeconds: 27.2,
    underWay: 15,
  };
  t.same(judgeStep(line), { outcome: "valid", reasons: [] });
  t.match(judgeStep({ ...line, iterations: 30 }), { outcome: "INVALID", reasons: [/Little's law/] });
  t.match(judgeStep({ ...line, iterations: 90, requests: 90, answers: 90 }), { outcome: "INVALID" });
});

t.test("users who come one by one are held to the law by how many there were", async (t) => {
  const arrivals = { model: "closed", users: 100, think_seconds: 0.8, spawn_per_second: 10 } as const;
  // 100 users, of whom 75 on average over 20 s, at one iteration a second each.
  const ramp: LoadFigures = {
    ...closed,
    arrivals,
    seconds: 20,
    spannedSeconds: 20,
    iterations: 1500,
    requests: 1500,
    answers: 1500,
  };
  t.same(judgeStep(ramp), { outcome: "valid", reasons: [] });
  t.match(judgeStep({ ...ramp, iterations: 2000, requests: 2000, answers: 2000 }), { outcome: "INVALID" });
});
