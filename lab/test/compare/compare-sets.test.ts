/** Sets of runs as a whole: what is compared, what is left out, and what is told besides. */
import t from "tap";
import { type ComparableRun, compareSets } from "../../src/compare/compare-sets.ts";

const FAST = [10, 10.2, 9.9, 10.1, 10.3];
const SLOW = [12, 12.3, 11.9, 12.5, 12.1];

t.test(
  "the primary metric makes the headline and comes first; the others are judged beside it",
  async (t) => {
    const a = FAST.map((p50) => run({ achieved_rate: 20, latency_p50_ms: p50, error_share: 0 }));
    const b = SLOW.map((p50) => run({ achieved_rate: 20, latency_p50_ms: p50, error_share: 0 }));
    const comparison = compareSets(a, b);
    t.match(comparison.headline, {
      name: "latency_p50_ms",
      call: "worse",
      unit: "ms",
      a: { median: 10.1, values: FAST, missing: 0 },
      b: { median: 12.1, values: SLOW, missing: 0 },
      effect: { scale: "ratio", level: 0.99, p: 2 / 252 },
    });
    t.same(
      comparison.metrics.map(({ name, call }) => [name, call]),
      [
        ["latency_p50_ms", "worse"],
        ["achieved_rate", "no difference shown"],
        ["error_share", "no difference shown"],
      ],
    );
    t.equal(comparison.metrics[2]?.effect.scale, "difference");
    t.equal(comparison.expectedFalseCalls, 0.02);
    t.equal(compareSets(b, a).headline?.call, "better");
    t.equal(compareSets(a, b, { primary: "achieved_rate" }).headline?.call, "no difference shown");
  },
);

t.test(
  "without the primary metric on both sides there is no headline, and no other takes its place",
  async (t) => {
    const a = FAST.map((value) => run({ "r50/latency_p50_ms": value }));
    const b = SLOW.map((value) => run({ "r50/latency_p50_ms": value, latency_p50_ms: 1 }));
    const comparison = compareSets(a, b);
    t.equal(comparison.headline, null);
    t.equal(comparison.primary, "latency_p50_ms");
    t.same([comparison.onlyA, comparison.onlyB], [[], ["latency_p50_ms"]]);
    t.match(comparison.metrics, [{ name: "r50/latency_p50_ms", call: "worse" }]);
  },
);

t.test("what a run has not measured is counted as missing, and may leave too few", async (t) => {
  const a = FAST.map((value, index) => run({ latency_p50_ms: index === 0 ? Number.NaN : value }));
  const b = [...SLOW.map((value) => run({ latency_p50_ms: value })), run({})];
  t.match(compareSets(a, b).headline, {
    call: "too few runs",
    a: { missing: 1, values: FAST.slice(1) },
    b: { missing: 1, values: SLOW },
  });
  t.equal(compareSets(a, b).expectedFalseCalls, 0, "no call is made, none can be false");
  t.match(compareSets([run({ x: Number.NaN })], [run({ x: 1 })]), { metrics: [], onlyA: [], onlyB: ["x"] });
  t.throws(() => compareSets([], b), RangeError);
});

t.test("the median of an even number of runs is the mean of the middle two", async (t) => {
  const of = (values: number[]) => values.map((x) => run({ x }));
  t.match(compareSets(of([4, 1, 3, 2]), of([7])).metrics, [{ a: { median: 2.5 }, b: { median: 7 } }]);
});

t.test("what differs between the sides, and within one", async (t) => {
  const a = [
    run({ x: 1 }, { commit: "c1", workers: "2", cpu: "x" }),
    run({ x: 1 }, { commit: "c1", workers: "2", cpu: "x" }),
  ];
  const b = [run({ x: 1 }, { commit: "c2", workers: "5" }), run({ x: 1 }, { commit: "c1", workers: "5" })];
  t.same(compareSets(a, b).differences, [
    { what: "commit", a: ["c1"], b: ["c1", "c2"], kind: "within" },
    { what: "workers", a: ["2"], b: ["5"], kind: "between" },
    { what: "cpu", a: ["x"], b: ["(not recorded)"], kind: "between" },
  ]);
  t.same(compareSets(a, a).differences, []);
});

t.test("runs in turns are told from one side after the other by the names of their bundles", async (t) => {
  const at = (...minutes: number[]) =>
    minutes.map((minute) => ({ ...run({ x: 1 }), directory: `results/2026-11-21T10-${minute}-00.000Z` }));
  t.equal(compareSets(at(10, 12, 14), at(11, 13, 15)).inTurns, true);
  t.equal(compareSets(at(10, 11, 12), at(13, 14, 15)).inTurns, false);
  t.equal(compareSets(at(13, 14, 15), at(10, 11, 12)).inTurns, false);
  t.equal(compareSets(at(10), at(11)).inTurns, null, "two runs have no turns");
  t.equal(compareSets([run({ x: 1 }), run({ x: 1 })], at(10, 11)).inTurns, null, "no times");
});

t.test("a comparison is plain data: it survives JSON as it is", async (t) => {
  const few = compareSets([run({ x: 1, y: 0 })], [run({ x: 2, y: 3 })], { names: ["before", "after"] });
  t.same(JSON.parse(JSON.stringify(few)), few);
  t.match(few, {
    a: { name: "before" },
    b: { name: "after" },
    metrics: [{ effect: { lower: null, upper: null } }],
  });
});

function run(metrics: Record<string, number>, about: Record<string, string> = {}): ComparableRun {
  return { directory: "somewhere", metrics, about };
}
