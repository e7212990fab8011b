import { waitFor } from "@parallax/testkit";
import fc from "fast-check";
import t from "tap";
import { desiredWorkers, type ScalingRule, scaleByBacklog } from "../../src/processor/scale-by-backlog.ts";

const rule: ScalingRule = { backlogPerWorker: 3, least: 2, most: 50, cooldownSeconds: 10 };

t.test("a backlog gets the workers that its length asks for, at once", async (t) => {
  for (const [waiting, workers] of [
    [0, 2],
    [6, 2],
    [7, 3],
    [90, 30],
    [91, 31],
    [1_000_000, 50],
  ] as const) {
    t.equal(desiredWorkers(rule, { workers: 2, waiting, sinceChangeSeconds: 0 }), workers, `${waiting}`);
  }
});

t.test("workers go only after the cool-down", async (t) => {
  const empty = { workers: 30, waiting: 0 };
  t.equal(desiredWorkers(rule, { ...empty, sinceChangeSeconds: 9.9 }), 30);
  t.equal(desiredWorkers(rule, { ...empty, sinceChangeSeconds: 10 }), 2);
});

const rules: fc.Arbitrary<ScalingRule> = fc
  .record({
    backlogPerWorker: fc.double({ min: 0.01, max: 1000, noNaN: true }),
    least: fc.integer({ min: 1, max: 100 }),
    more: fc.nat({ max: 900 }),
    cooldownSeconds: fc.double({ min: 0, max: 600, noNaN: true }),
  })
  .map(({ least, more, ...rest }) => ({ ...rest, least, most: least + more }));
const seconds = fc.double({ min: 0, max: 10_000, noNaN: true });
const waiting = fc.nat({ max: 1_000_000 });
const workers = fc.integer({ min: 1, max: 1000 });

t.test("whatever the backlog, there are never fewer or more workers than there may be", async () => {
  fc.assert(
    fc.property(rules, workers, waiting, seconds, (rule, workers, waiting, sinceChangeSeconds) => {
      const next = desiredWorkers(rule, { workers, waiting, sinceChangeSeconds });
      return Number.isInteger(next) && next <= rule.most && next >= Math.min(rule.least, rule.most);
    }),
  );
});

t.test("more orders waiting never mean fewer workers", async () => {
  fc.assert(
    fc.property(rules, workers, waiting, waiting, seconds, (rule, workers, one, other, since) => {
      const of = (waiting: number) => desiredWorkers(rule, { workers, waiting, sinceChangeSeconds: since });
      return of(Math.min(one, other)) <= of(Math.max(one, other));
    }),
  );
});

t.test(
  "before the cool-down is over no worker goes, and after it a backlog keeps what it needs",
  async () => {
    fc.assert(
      fc.property(rules, workers, waiting, seconds, (rule, some, waiting, sinceChangeSeconds) => {
        const workers = Math.min(rule.most, Math.max(rule.least, some));
        const next = desiredWorkers(rule, { workers, waiting, sinceChangeSeconds });
        if (sinceChangeSeconds < rule.cooldownSeconds && next < workers) return false;
        return next === rule.most || waiting / next <= rule.backlogPerWorker;
      }),
    );
  },
);

t.test("a steady backlog has a steady number of workers", async () => {
  fc.assert(
    fc.property(rules, workers, waiting, (rule, workers, waiting) => {
      const once = desiredWorkers(rule, { workers, waiting, sinceChangeSeconds: 1e9 });
      return desiredWorkers(rule, { workers: once, waiting, sinceChangeSeconds: 1e9 }) === once;
    }),
  );
});

t.test("the loop follows the queue up and down, and survives a queue that cannot be asked", async (t) => {
  let waiting: number | Error = 90;
  const sizes: number[] = [];
  const errors: unknown[] = [];
  const loop = scaleByBacklog({
    ...rule,
    cooldownSeconds: 0.05,
    intervalSeconds: 0.005,
    async waiting() {
      if (waiting instanceof Error) throw waiting;
      return waiting;
    },
    resize: (workers) => sizes.push(workers),
    onChange: () => {},
    onError: (error) => errors.push(error),
  });
  t.teardown(() => loop.stop());
  await waitFor("thirty workers", () => loop.workers === 30);
  waiting = new Error("no answer");
  await waitFor("three questions without an answer", () => errors.length >= 3);
  t.equal(loop.workers, 30, "nobody is sent home because nobody answers");
  waiting = 0;
  await waitFor("the least number of workers", () => loop.workers === 2);
  t.same(sizes, [30, 2]);
  await loop.stop();
  waiting = 90;
  t.same(sizes, [30, 2], "a loop that has stopped changes nothing");
});
