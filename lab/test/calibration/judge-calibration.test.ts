/** What pairs come to: limits, and the smallest slow-down shown against comparisons that are made with it. */
import t from "tap";
import {
  judgeCalibration,
  type PairKind,
  type PairResult,
  pairResult,
} from "../../src/calibration/judge-calibration.ts";
import { compareSets } from "../../src/compare/compare-sets.ts";
import type { Call } from "../../src/compare/metrics.ts";
import { LEAST_RATIO } from "../../src/compare/metrics.ts";
import { seededRandom } from "../../src/models/seeded-random.ts";

const NAME = "latency_p50_ms";

function pair(kind: PairKind, call: Call, [lower, ratio, upper] = [0.9, 1, 1.2]): PairResult {
  return {
    kind,
    number: 1,
    ratio: ratio as number,
    lower: lower as number,
    upper: upper as number,
    call,
    others: { metrics: 9, called: 1 },
    runs: { a: [], b: [] },
  };
}

const times = <T>(count: number, value: T) => Array.from({ length: count }, () => value);

t.test("of a hundred A/A pairs two may be called different, of fewer one", async (t) => {
  const judge = (called: number, all: number) =>
    judgeCalibration([
      pair("slow-down", "worse"),
      ...times(called, pair("A/A", "worse")),
      ...times(all - called, pair("A/A", "no difference shown")),
    ]);
  t.match(judge(2, 100), { outcome: "held", false_calls: { pairs: 100, count: 2, limit: 2, held: true } });
  t.match(judge(3, 100), { outcome: "broken", false_calls: { count: 3, held: false } });
  t.match(judge(1, 2), { outcome: "held", false_calls: { limit: 1 } });
  t.match(judge(2, 2), { outcome: "broken" });
  t.match(judge(1, 50), { false_calls: { limit: 1 } });
  t.match(judge(2, 51), { false_calls: { limit: 2 } });
  t.match(judge(0, 100), { other_metrics: { compared: 900, called: 100 } }, "told and not judged");
});

t.test("better is a false call, too", async (t) => {
  t.match(judgeCalibration(times(2, pair("A/A", "better"))), { outcome: "broken" });
});

t.test("19 of 20 slow-downs must be found, and found means worse", async (t) => {
  const judge = (found: number, all: number, otherwise: Call) =>
    judgeCalibration([
      pair("A/A", "no difference shown"),
      ...times(found, pair("slow-down", "worse")),
      ...times(all - found, pair("slow-down", otherwise)),
    ]);
  t.match(judge(19, 20, "no difference shown"), { outcome: "held", slow_downs: { limit: 19 } });
  t.match(judge(18, 20, "no difference shown"), { outcome: "broken" });
  t.match(judge(18, 20, "better"), { outcome: "broken" });
  t.match(judge(0, 1, "no difference shown"), { outcome: "broken" });
  t.match(judge(1, 1, "worse"), { outcome: "held" });
});

t.test("the middle interval, the middle ratio, the smallest slow-down shown", async (t) => {
  const same = [0.99, 0.98, 0.97, 0.96, 0.95].map((lower) =>
    pair("A/A", "no difference shown", [lower, 1, 1 / lower]),
  );
  const slow = [1.18, 1.19, 1.25].map((ratio) => pair("slow-down", "worse", [1.1, ratio, 1.3]));
  const figures = judgeCalibration([...same, ...slow]);
  t.equal(figures.slow_down_measured, 1.19);
  const { interval_half_width, smallest_shown } = figures;
  t.equal(interval_half_width?.toFixed(6), (1 / 0.97 - 1).toFixed(6));
  t.equal(smallest_shown.by_half?.toFixed(6), (LEAST_RATIO / 0.97 - 1).toFixed(6));
  t.equal(smallest_shown.by_95_percent?.toFixed(6), (LEAST_RATIO / 0.95 - 1).toFixed(6));
});

t.test("nothing is told of what is not there", async (t) => {
  t.match(judgeCalibration([]), {
    outcome: "undecided",
    false_calls: { pairs: 0, held: null },
    slow_downs: { pairs: 0, held: null },
    slow_down_measured: null,
    interval_half_width: null,
    smallest_shown: { by_half: null, by_95_percent: null },
  });
});

t.test("one kind without a pair is undecided, unless the other is broken", async (t) => {
  t.match(judgeCalibration([pair("A/A", "no difference shown")]), {
    outcome: "undecided",
    false_calls: { held: true },
    slow_downs: { held: null },
  });
  t.match(judgeCalibration([pair("slow-down", "worse")]), { outcome: "undecided" });
  t.match(judgeCalibration([pair("slow-down", "better")]), { outcome: "broken" });
});

t.test("the slow-down that an A/A pair would have shown is where its comparison turns", async (t) => {
  const random = seededRandom(5);
  for (let round = 0; round < 50; round += 1) {
    const draw = () => times(5, 0).map(() => 20 * (1 + 0.1 * random()));
    const [a, b] = [draw(), draw()];
    const compared = (factor: number) =>
      pairResult("A/A", 1, compareSets(runs(a), runs(b.map((value) => value * factor)), { primary: NAME }));
    const shown = LEAST_RATIO / (compared(1).lower as number);
    t.equal(compared(shown * 1.0001).call, "worse");
    t.not(compared(shown * 0.9999).call, "worse");
  }
});

function runs(values: readonly number[]) {
  return values.map((value, index) => ({ directory: String(index), metrics: { [NAME]: value }, about: {} }));
}
