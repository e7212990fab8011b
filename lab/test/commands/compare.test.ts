/** `lab compare` on bundles on disk: what it compares, what it leaves out, and what it refuses. */
import { chmod, symlink, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import t, { type Test } from "tap";
import type { Comparison } from "../../src/compare/compare-sets.ts";
import { findSet } from "../../src/compare/find-set.ts";
import { type WrittenRun, writeOldRun, writeRun, writeUnfinishedRun } from "../compare/write-run.ts";
import { runLab } from "./run-lab.ts";

const FAST = [10, 10.2, 9.9, 10.1, 10.3];
const SLOW = [12, 12.3, 11.9, 12.5, 12.1];

t.test("two directories above runs: the table, the change, and exit code 0", async (t) => {
  const { a, b } = await twoSides(t);
  const worse = await runLab(["compare", "--a", a, "--b", b]);
  t.equal(worse.code, 0, worse.stderr);
  t.match(worse.stdout, `A (${a}): 5 runs\nB (${b}): 5 runs\n`);
  t.match(worse.stdout, /orders-processor\.NUM_WORKERS: 20 → 5\n/);
  t.match(worse.stdout, /latency_p50_ms: worse in B\. B is 1\.204 times A, 99 % interval 1\.155 to 1\.263/);
  t.match(worse.stdout, /One side was made after the other/);
  t.match((await runLab(["compare", "--a", b, "--b", a])).stdout, /better in B\. B is 0\.8306 times A/);
});

t.test("JSON is JSON alone; runs may be named one by one", async (t) => {
  const { a, runsA, runsB } = await twoSides(t);
  const named = await runLab(["compare", "--json", "--a", runsA.join(","), "--b", runsB.join(", ")]);
  const comparison = JSON.parse(named.stdout) as Comparison;
  t.match(comparison, {
    a: { runs: runsA },
    b: { runs: runsB },
    level: 0.99,
    headline: { name: "latency_p50_ms", call: "worse", effect: { p: 2 / 252 } },
    differences: [{ what: "orders-processor.NUM_WORKERS", a: ["20"], b: ["5"], kind: "between" }],
    inTurns: false,
    left_out: { a: [], b: [] },
  });
  t.equal(named.stderr, "");
  const few = await runLab(["compare", "--a", runsA[0] ?? "", "--b", runsB[0] ?? ""]);
  t.match(few, { code: 0, stdout: /too few runs\. B is 1\.200 times A, 99 % interval not bounded/ });
  t.match(await runLab(["compare", "--a", a, "--b", `${a}/../A/local`]), {
    code: 2,
    stderr: /on both sides/,
  });
});

t.test("a run is one run, whatever links lead to it", async (t) => {
  const { root, a, b } = await twoSides(t);
  const link = join(root, "link");
  await symlink(resolve(a), link);
  t.match(await runLab(["compare", "--a", a, "--b", link]), { code: 2, stderr: /on both sides/ });
  const both = await runLab(["compare", "--a", `${a},${link}`, "--b", b]);
  t.match(both.stdout, / and 1 more\): 5 runs\n/, "each counts once");
});

t.test(
  "what cannot be compared is named with its reason and left out, on the side where it is",
  async (t) => {
    const { root, b } = await twoSides(t);
    const a = join(root, "A");
    const at = (second: number): WrittenRun => ({ root: a, begun: time(30, second), p50: 99 });
    await writeRun({ ...at(0), correctness: "broken" });
    await writeRun({ ...at(1), correctness: "undecided" });
    await writeRun({ ...at(2), performance: { outcome: "INVALID", reasons: ["7 iterations were dropped"] } });
    await writeRun({ ...at(3), state: "interrupted" });
    await writeRun({ ...at(4), state: "failed" });
    await writeOldRun(at(5));
    await writeUnfinishedRun(at(6));
    const edited = join(await writeRun(at(7)), "run.json");
    await chmod(edited, 0o644);
    await writeFile(edited, "{}");
    await writeFile(join(await writeRun(at(8)), "note.txt"), "by the way");

    const { code, stdout, stderr } = await runLab(["compare", "--a", a, "--b", b]);
    t.equal(code, 0);
    t.match(stdout, `A (${a}): 5 runs\n`, "the five sound ones");
    const lines = stderr.trimEnd().split("\n");
    t.equal(lines.length, 9, stderr);
    for (const [second, reason] of [
      /correctness is broken/,
      /correctness is undecided/,
      /INVALID: 7 iterations were dropped/,
      /run was interrupted/,
      /run (was )?failed/,
      /older format 1/,
      /not ended, or was cut off/,
      /run\.json is not what the run wrote/,
      /note\.txt was added/,
    ].entries())
      t.match(
        lines.find((line) => line.includes(`T10-30-0${second}`)),
        reason,
      );
    t.ok(lines.every((line) => line.includes("A leaves out ")));
  },
);

t.test("nothing left on a side is an error that says what to do", async (t) => {
  const { root, a } = await twoSides(t);
  const bad = join(root, "bad");
  await writeRun({ root: bad, begun: time(40, 0), p50: 1, correctness: "broken" });
  const left = await runLab(["compare", "--a", a, "--b", bad]);
  t.match(left, { code: 1, stdout: "", stderr: /Error: B: no run of .*bad can be compared/ });
  t.match(left.stderr, /fix: Run the experiment again/);
  t.match(left.stderr, /correctness is broken/);
  const empty = t.testdir();
  t.match(await runLab(["compare", "--a", empty, "--b", a]), {
    code: 2,
    stderr: /A: there is no run at or below .*fix: make loadtest .*REPEAT=5/s,
  });
});

t.test("words that make no sense", async (t) => {
  const { root, a, b } = await twoSides(t);
  t.match(await runLab(["compare"]), { code: 2, stderr: /Nothing is named for A/ });
  t.match(await runLab(["compare", "--a", a, "--b", " , "]), { code: 2, stderr: /Nothing is named for B/ });
  t.match(await runLab(["compare", "--a", a, "--b", join(root, "gone")]), {
    code: 2,
    stderr: /B: .*gone is not there/,
  });
  t.match(await runLab(["compare", "--a", a, "--b", b, "--primary", "latency_p51_ms"]), {
    code: 2,
    stderr: /Not both sides have the metric "latency_p51_ms".*Take one of: .*latency_p95_ms/s,
  });
});

t.test("the primary metric is the experiment's, unless another is named", async (t) => {
  const { root, b } = await twoSides(t);
  const a = join(root, "other");
  for (const [index, p50] of FAST.entries())
    await writeRun({ root: a, begun: time(50, index), p50, primaryMetric: "latency_p99_ms" });
  const c = join(root, "another");
  for (const [index, p50] of SLOW.entries())
    await writeRun({ root: c, begun: time(51, index), p50, primaryMetric: "latency_p99_ms" });
  t.match((await runLab(["compare", "--a", a, "--b", c])).stdout, /\nlatency_p99_ms: worse in B/);
  t.match((await runLab(["compare", "--a", a, "--b", b])).stdout, /\nlatency_p50_ms: worse/, "no agreement");
  const named = await runLab(["compare", "--a", a, "--b", c, "--primary", "achieved_rate"]);
  t.match(named.stdout, /\nachieved_rate: no difference shown/);
});

t.test("runs that were made in turns are found by the id of their set", async (t) => {
  const results = join(t.testdir(), "results");
  for (const [index, p50] of FAST.entries()) {
    await writeRun({
      root: results,
      begun: time(index, 0),
      p50,
      set: { id: "one", side: "A", round: index + 1 },
    });
    const slow = SLOW[index] ?? 0;
    await writeRun({
      root: results,
      begun: time(index, 30),
      p50: slow,
      set: { id: "one", side: "B", round: index + 1 },
    });
  }
  await writeRun({ root: results, begun: time(50, 0), p50: 99, set: { id: "two", side: "A", round: 1 } });
  t.match(await findSet("one", results), { A: { length: 5 }, B: { length: 5 } });
  t.match(await findSet("two", results), { A: { length: 1 }, B: { length: 0 } });
  t.match(await runLab(["compare", "--set", "nothing"]), {
    code: 2,
    stderr: /no two sides with the set "nothing"/,
  });
  t.match(await runLab(["compare", "--set", "one", "--a", results]), { code: 2, stderr: /both sides/ });
});

/** Five runs a side, B a fifth slower and with other workers. */
async function twoSides(t: Test) {
  const root = relative(process.cwd(), t.testdir());
  const [a, b] = [join(root, "A"), join(root, "B")];
  const runsA: string[] = [];
  const runsB: string[] = [];
  for (const [index, p50] of FAST.entries())
    runsA.push(await writeRun({ root: a, begun: time(10, index), p50 }));
  for (const [index, p50] of SLOW.entries())
    runsB.push(await writeRun({ root: b, begun: time(20, index), p50, workers: "5" }));
  return { root, a, b, runsA, runsB };
}

function time(minute: number, second: number): Date {
  return new Date(Date.UTC(2026, 10, 21, 10, minute, second));
}
