/** What people read of a comparison, line by line where it matters. */
import t from "tap";
import { Output } from "../../src/cli/output.ts";
import { type ComparableRun, type CompareOptions, compareSets } from "../../src/compare/compare-sets.ts";
import { intervalText, printComparison } from "../../src/compare/print-comparison.ts";
import { effectOf } from "../../src/compare/ratio-interval.ts";

const FAST = [10, 10.2, 9.9, 10.1, 10.3];
const SLOW = [12, 12.3, 11.9, 12.5, 12.1];

t.test("headline, one change, table and notes", async (t) => {
  const a = FAST.map((value) => run({ latency_p50_ms: value, error_share: 0 }, { workers: "2" }));
  const b = SLOW.map((value) => run({ latency_p50_ms: value, error_share: 0 }, { workers: "5" }));
  t.equal(
    printed(a, b, { names: ["A (as it is)", "B (workers=5)"] }),
    `
A (as it is): 5 runs
B (workers=5): 5 runs
Differs between A and B:
  workers: 2 → 5

latency_p50_ms: worse in B. B is 1.204 times A, 99 % interval 1.155 to 1.263 (p 0.0079, 5 against 5 runs)

metric          A median  B median  B/A    99 % interval   call
latency_p50_ms  10.1 ms   12.1 ms   1.204  1.155 to 1.263  worse

B/A is the ratio of the geometric means of the runs; the interval is over runs, not over requests.
* the difference of the means, B less A: there is no ratio where a value is 0.
The other metric is judged at 99 % by itself: where nothing differs, 0.01 false calls are to be expected.
0 in every run: error_share.
`,
  );
});

t.test(
  "no difference shown is not called no difference; without a change it says what a call would mean",
  async (t) => {
    const text = printed(of(FAST), of(FAST.toReversed()));
    t.match(text, /no difference shown\. B is 1\.000 times A/);
    t.match(text, /Not the same as no difference/);
    t.match(text, /Nothing that is recorded differs/);
  },
);

t.test("too few runs: the ratio is told, and what a claim takes", async (t) => {
  const text = printed(of([10]), of([12]));
  t.match(text, /too few runs\. B is 1\.200 times A, 99 % interval not bounded \(p 1\.0, 1 against 1 runs\)/);
  t.match(text, /takes 5 runs a side/);
  t.notMatch(text, /false calls/, "none is made");
});

t.test("several changes, and runs that are no repeats, are warned of", async (t) => {
  const a = FAST.map((x) => run({ x }, { commit: "c1", workers: "2" }));
  const b = SLOW.map((x, index) => run({ x }, { commit: "c2", workers: "5", node: `${index % 2}` }));
  const text = printed(a, b);
  t.match(text, /! 2 things differ: a ratio tells the effect of all of them together/);
  t.match(text, /node: \(not recorded\) → 0 and 1\n {2}! These runs are not repeats of one thing/);
});

t.test("one side made after the other is warned of", async (t) => {
  const at = (hour: number) =>
    FAST.map((x, index) => ({ ...run({ x }), directory: `2026-11-21T${hour}-0${index}-00.000Z` }));
  t.match(printed(at(10), at(11)), /! One side was made after the other/);
  t.notMatch(printed(at(10), at(10)), /made after/);
});

t.test("without the primary metric the candidates are named, and long lists are cut", async (t) => {
  const steps = Array.from({ length: 12 }, (_, index) => `r${index}/latency_p50_ms`);
  const sweep = (values: number[]) =>
    values.map((value) => run({ other: 1, ...Object.fromEntries(steps.map((name) => [name, value])) }));
  const text = printed(sweep(FAST), sweep(SLOW));
  t.match(text, /latency_p50_ms: nothing can be said, since not both sides have it/);
  t.match(text, /Name one that both have as the primary metric: r0\/latency_p50_ms, .* and 4 more\./);
  t.match(text, /Each of the 13 metrics is judged at 99 % by itself: .* 0\.13 false calls/);
});

t.test("what only one side has, and what some runs have not, is said", async (t) => {
  const a = FAST.map((x, index) => run(index === 0 ? { y: 1 } : { x, y: 1 }));
  const text = printed(
    a,
    SLOW.map((x) => run({ x, z: 1 })),
  );
  t.match(text, /Not every run has a value of x\./);
  t.match(text, /Only A has y\./);
  t.match(text, /Only B has z\./);
});

t.test("an end of the interval never reads as no difference when it is not", async (t) => {
  const a = [1, 1.1, 1.2, 1.3, 1.4];
  const b = [1.400001, 1.5, 1.6, 1.7, 1.8];
  t.equal(intervalText(effectOf(a, b)), "1.000001 to 1.800");
  t.equal(intervalText(effectOf(a, a)), "0.7143 to 1.400");
  const one = { scale: "ratio", estimate: 1, level: 0.99, p: 0.5, splits: 9, exact: true } as const;
  t.equal(intervalText({ ...one, lower: null, upper: 2 }), "2.000 or less");
  t.equal(intervalText({ ...one, lower: 0.5, upper: null }), "0.5000 or more");
  t.equal(intervalText({ ...one, scale: "difference", lower: -0.5, upper: 12 }), "−0.5 to +12");
});

t.test("failed requests are told at the headline, whatever it says", async (t) => {
  const side = (values: number[], errors: number) =>
    values.map((value) => run({ latency_p50_ms: value, error_share: errors }));
  const text = printed(side(SLOW, 0), side(FAST, 0.032));
  t.match(
    text,
    /better in B.*\n {2}! 3\.2 % of B's requests failed \(A: 0 %\)\n {4}Failed requests are among the latencies: quick errors/,
  );
  t.match(printed(side(FAST, 0.1), side(FAST, 0.00002)), /! 10 % of A's requests failed \(B: 0\.002 %\)/);
  t.notMatch(printed(side(FAST, 0), side(SLOW, 0)), /failed/);
});

t.test("failed requests of a sweep are told step by step", async (t) => {
  const sweep = (metrics: Record<string, number>) =>
    FAST.map((value) => run({ "r20/latency_p50_ms": value, "r20/error_share": 0, ...metrics }));
  const text = printed(sweep({}), sweep({ "r400/error_share": 0.5 }), { primary: "r20/latency_p50_ms" });
  t.match(text, /! r400: 50 % of B's requests failed \(A: not run\)/);
  t.notMatch(text, /r20: /);
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`r${index}/error_share`, 1]));
  t.match(printed(sweep(many), sweep(many)), /! r7: 100 % .*\n {2}! and in 3 more steps/);
  t.same(
    compareSets(sweep({}), sweep({ "r400/error_share": 0.5 })).failures,
    [{ metric: "r400/error_share", a: null, b: 0.5 }],
    "the JSON tells it too",
  );
});

function printed(a: ComparableRun[], b: ComparableRun[], options: CompareOptions = {}): string {
  let text = "";
  const sink = { write: (part: string) => (text += part) };
  const output = new Output({
    stdout: sink,
    stderr: { write: () => t.fail("on standard error") },
    environment: {},
  });
  printComparison(compareSets(a, b, options), output);
  return text;
}

function of(values: number[]): ComparableRun[] {
  return values.map((value) => run({ latency_p50_ms: value }));
}

function run(metrics: Record<string, number>, about: Record<string, string> = {}): ComparableRun {
  return { directory: "somewhere", metrics, about };
}
