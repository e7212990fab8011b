import fc from "fast-check";
import t from "tap";
import type { LoadStep } from "../../src/experiments/experiment.ts";
import { describeStep, lengthOf, meanUsers, schedule, stepsAt } from "../../src/experiments/load-schedule.ts";

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
    "100 users, thinking 0.3 s, for 30 s",
  );
  const spawned = { ...users, users: 10_000, spawn_per_second: 1000 };
  t.equal(
    describeStep(step("load", 30, { arrivals: spawned })),
    "10,000 users, who come 1,000 a second, for 30 s",
  );
  t.match(
    describeStep(step("load", 30, { arrivals: { ...spawned, think_seconds: 1 } })),
    /, thinking 1 s, for/,
  );
});

t.test("a pause comes before its step, and a patience goes with it", async (t) => {
  const steps = schedule([step("one", 5), step("two", 5, { pause_seconds: 3, timeout_seconds: 30 })]);
  t.match(steps, [{ begins: 0 }, { begins: 8, timeout_seconds: 30 }]);
  t.notOk("timeout_seconds" in (steps[0] ?? {}));
  t.same(stepsAt(steps, 6), [], "nothing is under way in between");
  t.equal(lengthOf(steps), 13);
});

t.test("users who come one by one are fewer on average", async (t) => {
  const of = (users: number, seconds: number, spawn_per_second?: number) =>
    meanUsers({ arrivals: { model: "closed", users, think_seconds: 0, spawn_per_second }, seconds });
  t.equal(of(100, 60), 100);
  t.equal(of(100, 10, 10), 50, "the last comes when it is over");
  t.equal(of(100, 20, 10), 75);
  t.equal(of(100, 5, 10), 25, "half of them never come");
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 1000 }),
      (users, seconds, spawn) => {
        let sum = 0;
        const slices = 2000;
        for (let i = 0; i < slices; i += 1) sum += Math.min(users, ((i + 0.5) * seconds * spawn) / slices);
        return Math.abs(of(users, seconds, spawn) - sum / slices) <= users * 0.005;
      },
    ),
  );
});
