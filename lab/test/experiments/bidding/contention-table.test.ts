/** The auction under contention beside what was published, and which rows fail Little's law. */

import t from "tap";
import { besideNotes, besideTable } from "../../../src/experiments/beside.ts";
import { contention } from "../../../src/experiments/bidding/contention.ts";
import { contentionTable, readContention } from "../../../src/experiments/bidding/contention-table.ts";
import type { RunFigures, StepFigures } from "../../../src/experiments/figures.ts";
import { schedule } from "../../../src/experiments/load-schedule.ts";
import { resolveParameters } from "../../../src/experiments/parameters.ts";
import { rowsOf } from "../../../src/experiments/rows.ts";

const latency = { mean: 40, p50: 35, p90: 60, p95: 70, p99: 120, p999: 130, max: 150 };

function figuresOf(users: number, changes: Partial<StepFigures> = {}): RunFigures {
  const values = resolveParameters(contention, { users });
  const [warmUp, load] = schedule(contention.load(values));
  if (!warmUp || !load) throw new Error("unreachable");
  const step = (of: typeof load): StepFigures => ({
    step: of,
    iterations: 75_000,
    dropped_iterations: 0,
    achieved_rate: 2500,
    answered_rate: 2500,
    answers: 75_000,
    errors: 0,
    unanswered: 0,
    latency_ms: latency,
    operations: {},
    performance: { outcome: "valid", reasons: [] },
    ...changes,
  });
  return {
    steps: [step(warmUp), step(load)],
    parts: {},
    generator: {
      cpu_s: 1,
      memory_mb_max: 1,
      network_rx_mb: null,
      network_tx_mb: null,
      throttled_s: null,
      cpu_share: 0.5,
      cpu_share_peak: 0.6,
    },
    highest: { archive_lag: 1234 },
    findings: { accepted: 30_000, refused: 44_000, unanswered: 1, accepted_percent: 40, lost_updates: 0 },
  };
}

const tableOf = (users: number, seconds = 30, changes: Partial<StepFigures> = {}) =>
  contentionTable(figuresOf(users, changes), resolveParameters(contention, { users, seconds }));

t.test("the rows are the published ones, each with both environments beside it", async (t) => {
  const rows = rowsOf(contention, { parameters: {}, services: {} });
  t.same(
    rows.map(({ variant }) => variant.parameters.users),
    [100, 500, 1000, 2000, 10_000],
  );
  for (const { variant } of rows) {
    const { users = 0 } = variant.parameters;
    const [answers, median, slow] = tableOf(users);
    for (const line of [answers, median, slow]) {
      t.same(Object.keys(line?.publishedBy ?? {}), ["LocalStack", "AWS"], `${users}: ${line?.what}`);
    }
  }
  const [answers, median, slow] = tableOf(500);
  t.match(answers, { measured: 2500, publishedBy: { LocalStack: 13_003, AWS: 10_256 } });
  t.match(median, { measured: 35, publishedBy: { LocalStack: 24, AWS: 40 } });
  t.match(slow, { measured: 120, publishedBy: { LocalStack: 65, AWS: 110 } });
});

t.test(
  "of the published rows those two are marked that contradict themselves, and it is said how",
  async (t) => {
    for (const users of [100, 500, 1000, 2000, 10_000]) {
      const doubted = users === 100 || users === 10_000 ? ["LocalStack"] : undefined;
      t.same(tableOf(users)[0]?.doubtful, doubted, `${users} users`);
    }
    t.match(besideNotes(tableOf(100)), [
      /^! 100 users: .*LocalStack's 100 users at 8,512\/s wait 11\.75 ms on average, which P50 0 ms and P99 9 ms do not allow$/,
    ]);
    t.match(besideNotes(tableOf(10_000)), [/wait 1,026 ms on average, which P50 130 ms/]);
    const cells = besideTable(tableOf(100));
    t.equal(cells[1]?.[cells[0]?.indexOf("LocalStack") ?? -1], "8,512 !");
  },
);

t.test("a run of ours that fails it is marked, too", async (t) => {
  const reasons = ["Little's law does not hold within 10 %: 500.0 users are not 100.0", "something else"];
  const [answers, , , users, accepted] = tableOf(500, 30, { performance: { outcome: "INVALID", reasons } });
  t.match(answers, { doubtful: ["measured"], reason: /^as measured here, Little's law does not hold/ });
  t.match(users, { what: "users by Little's law", measured: 100, doubtful: ["measured"] });
  t.notOk(accepted?.doubtful, "what was counted does not hang on it");
  const other = { performance: { outcome: "INVALID", reasons: ["something else"] } } as const;
  t.notOk(tableOf(500, 30, other)[0]?.doubtful);
});

t.test("users by Little's law stand beside those that there were", async (t) => {
  const line = tableOf(500)[3];
  // 500 users, of whom the last comes after half a second.
  t.ok(Math.abs((line?.model ?? 0) - 500) < 5, `${line?.model}`);
  t.equal(line?.measured, 100);
  t.ok(Math.abs((line?.publishedBy?.AWS ?? 0) - 500) < 50, `${line?.publishedBy?.AWS}`);
});

t.test("another time, or another number of users, is not what was published", async (t) => {
  for (const lines of [tableOf(500, 10), tableOf(123)]) {
    t.ok(lines.every(({ publishedBy }) => Object.keys(publishedBy ?? {}).length === 0));
    t.match(lines[0], { measured: 2500 });
  }
});

t.test("a run without an answer has a table all the same", async (t) => {
  const lines = tableOf(100, 30, { latency_ms: null, answered_rate: 0 });
  t.match(lines[1], { what: "median", measured: null });
  t.match(lines[3], { measured: null });
});

t.test("what was lost is told, and what is not known is not called nothing", async (t) => {
  t.match(readContention(figuresOf(100)), [/30,000 bids were accepted.*No update was lost/, /1,234 bids/]);
  const { findings, ...figures } = figuresOf(100);
  t.match(
    readContention({ ...figures, findings: { ...findings, lost_updates: 2 } })[0],
    /2 updates were LOST/,
  );
  const { lost_updates: _, ...unknown } = findings ?? {};
  t.match(readContention({ ...figures, findings: unknown })[0], /is not known/);
});
