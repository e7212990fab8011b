import t from "tap";
import type { LoadStep } from "../../src/experiments/experiment.ts";
import { describeStep, lengthOf, schedule, stepsAt } from "../../src/experiments/load-schedule.ts";

const step = (name: string, seconds: number, changes: Partial<LoadStep> = {}): LoadStep => ({
  name,
  kind: "measured",
  arrivals: { model: "open", rate: 20 },
  seconds,
  ...changes,
});

t.test("steps follow each other; one beside another begins with it", async (t) => {
  const steps = schedule([
    step("warm-up", 2, { kind: "warm-up" }),
    step("open", 10),
    step("closed", 4, { beside: true }),
    step("after", 3),
  ]);
  t.same(
    steps.map(({ name, begins }) => [name, begins]),
    [
      ["warm-up", 0],
      ["open", 2],
      ["closed", 2],
      ["after", 12],
    ],
    "what follows waits for the longest of those before it",
  );
  t.equal(lengthOf(steps), 15);
  const at = (elapsed: number) => stepsAt(steps, elapsed).map(({ name }) => name);
  t.same(at(-0.1), []);
  t.same(at(0), ["warm-up"]);
  t.same(at(2), ["closed", "open"], "the later one first");
  t.same(at(6), ["open"], "a step ends where its seconds are over");
  t.same(at(14.9), ["after"]);
  t.same(at(15), []);
});

t.test("the first step has none to begin with", async (t) => {
  t.match(schedule([step("load", 1, { beside: true })]), [{ begins: 0 }]);
});

for (const [what, steps] of [
  ["no step at all", []],
  ["nothing that is measured", [step("load", 1, { kind: "warm-up" })]],
  ["two steps of one name", [step("load", 1), step("load", 1)]],
  ["a name that is no scenario's", [step("Load 1", 1)]],
  ["no name", [step("", 1)]],
  ["no time", [step("load", 0)]],
  ["less than no time", [step("load", -1)]],
  ["a time that is no number", [step("load", Number.NaN)]],
] as const) {
  t.test(`${what} is no load`, async (t) => {
    t.throws(() => schedule(steps), Error);
  });
}

t.test("a step is told in words", async (t) => {
  t.equal(describeStep(step("load", 10)), "20/s for 10 s");
  const users = { model: "closed", users: 100, think_seconds: 0 } as const;
  t.equal(describeStep(step("load", 30, { arrivals: users })), "100 users for 30 s");
  t.equal(
    describeStep(step("load", 30, { arrivals: { ...users, think_seconds: 0.3 } })),
    "100 users, thinking 0.3 s for 30 s",
  );
});
