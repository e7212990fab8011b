/** The experiments of the catalogue on the real lab of processes, and what a person does with their bundles. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { compareSets } from "../../lab/src/compare/compare-sets.ts";
import { loadRuns } from "../../lab/src/compare/load-runs.ts";
import type { Experiment } from "../../lab/src/experiments/experiment.ts";
import { coordinatedOmission } from "../../lab/src/experiments/orders/coordinated-omission.ts";
import { rateSweep } from "../../lab/src/experiments/orders/rate-sweep.ts";
import { smoke } from "../../lab/src/experiments/orders/smoke.ts";
import { parseVariant } from "../../lab/src/experiments/parameters.ts";
import { isSkipped, readBundle } from "../../lab/src/experiments/read-bundle.ts";
import { type RunSet, runExperiment } from "../../lab/src/experiments/run-experiment.ts";
import { anyK6, runOptions } from "../lib/own-experiment.ts";
import { ownLab } from "../lib/own-lab.ts";

// Only the first time, where k6 has to be built.
t.setTimeout(900_000);

const k6 = await anyK6(t);
const signal = AbortSignal.timeout(280_000);
const { runtime, directory } = await ownLab(t);
const resultsDir = join(directory, "results");

async function run(experiment: Experiment, changes: string, set?: RunSet) {
  const result = await runExperiment(
    runOptions({
      experiment,
      variant: parseVariant(changes),
      ...(set && { set }),
      runtime,
      k6,
      resultsDir,
      signal,
      onStage: (text) => t.comment(text),
    }),
  );
  const bundle = await readBundle(result.directory);
  if (isSkipped(bundle)) throw new Error(bundle.reason);
  return { ...result, bundle };
}

t.test("a sweep has figures for each rate, and one verdict", async (t) => {
  const { verdict, figures, bundle } = await run(rateSweep, "lowest=20 steps=3 seconds=2");
  t.equal(verdict.outcome, "held", JSON.stringify(verdict.invariants, null, 2));
  t.same(
    figures.steps.map(({ step, answers }) => [step.name, answers >= step.seconds * 19]),
    [
      ["warm-up", true],
      ["r20", true],
      ["r40", true],
      ["r80", true],
    ],
  );
  const checked = verdict.invariants.find(({ name }) => name === "every-answer-is-on-record")?.counts.checked;
  const answers = figures.steps.reduce((sum, step) => sum + step.answers, 0);
  t.equal(checked, answers, "every answer is in a step, and none in two");
  t.match(bundle.run.experiment, { parameters: { lowest: 20, steps: 3, seconds: 2 } });
  const histograms = await bundle.histograms();
  t.equal(histograms.get("r80/place")?.totalCount, figures.steps[3]?.answers);
  t.ok((figures.parts["orders-receiver"]?.cpu_s ?? 0) > 0, "what the receiver took");
  t.ok((figures.parts.postgres?.memory_mb_max ?? 0) > 1);
});

t.test("a freeze is in the open load's tail, and not in the closed one's", async (t) => {
  const { verdict, figures, readings } = await run(coordinatedOmission, "seconds=15 frozen=2");
  t.equal(verdict.outcome, "held", JSON.stringify(verdict.invariants, null, 2));
  const p95 = (name: string) =>
    figures.steps.find(({ step }) => step.name === name)?.latency_ms?.p95 ?? Number.NaN;
  // Two of fifteen seconds: 13 % of the open load's requests, and five of the closed one's hundreds.
  t.ok(p95("open") > 500, `open: ${p95("open")} ms`);
  t.ok(p95("closed") < p95("open") / 3, `closed: ${p95("closed")} ms`);
  t.match(readings, [/p95 is .* times as much/, /coordinated omission/]);
});

t.test("runs in turns are told apart in their bundles, and two are too few to call", async (t) => {
  for (const round of [1, 2]) {
    await run(smoke, "seconds=2", { id: "turns", side: "A", round });
    await run(smoke, "seconds=2 orders-payments.PAYMENT_SECONDS=0.1", { id: "turns", side: "B", round });
  }
  const at = join(resultsDir, "local", "orders", "smoke");
  const sides: Record<string, string[]> = { A: [], B: [] };
  for (const name of await readdir(at)) {
    const bundle = await readBundle(join(at, name));
    if (isSkipped(bundle)) t.fail(bundle.reason);
    else if (bundle.run.set) sides[bundle.run.set.side]?.push(bundle.directory);
  }
  t.same([sides.A?.length, sides.B?.length], [2, 2]);
  const [a, b] = [await loadRuns(sides.A ?? []), await loadRuns(sides.B ?? [])];
  // A machine that is busy with other tests may make figures INVALID, and a comparison then leaves that run out.
  const others = [...a.skipped, ...b.skipped].filter(
    ({ reason }) => !reason.startsWith("Its figures are INVALID"),
  );
  t.same(others, []);
  const { headline, differences } = compareSets(a.runs, b.runs);
  t.equal(headline?.name, "latency_p50_ms");
  t.equal(headline?.call, "too few runs");
  t.match(differences, [
    { what: "orders-payments.PAYMENT_SECONDS", a: ["0.2"], b: ["0.1"], kind: "between" },
  ]);
});
