/** The experiments of orders on the real lab of processes, at a size that takes seconds: what they judge, find and set side by side. */

import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import t from "tap";
import type { Experiment } from "../../lab/src/experiments/experiment.ts";
import { brokers } from "../../lab/src/experiments/orders/brokers.ts";
import { latency } from "../../lab/src/experiments/orders/latency.ts";
import { syncVsAsync } from "../../lab/src/experiments/orders/sync-vs-async.ts";
import { workerScaling } from "../../lab/src/experiments/orders/worker-scaling.ts";
import { parseVariant } from "../../lab/src/experiments/parameters.ts";
import { isSkipped, readBundle } from "../../lab/src/experiments/read-bundle.ts";
import { rowsOf } from "../../lab/src/experiments/rows.ts";
import { type RunResult, runExperiment } from "../../lab/src/experiments/run-experiment.ts";
import { anyK6, runOptions } from "../lib/own-experiment.ts";
import { ownLab } from "../lib/own-lab.ts";
import { untilValid } from "../lib/until-valid.ts";

// Only the first time, where k6 has to be built.
t.setTimeout(1_200_000);

const k6 = await anyK6(t);
const signal = AbortSignal.timeout(1_100_000);
const { runtime, directory } = await ownLab(t);
const resultsDir = join(directory, "results");

async function run(experiment: Experiment, changes: string) {
  return await runVariant(experiment, parseVariant(changes));
}

async function runVariant(experiment: Experiment, variant: ReturnType<typeof parseVariant>) {
  const result = await runExperiment(
    runOptions({
      experiment,
      variant,
      runtime,
      k6,
      resultsDir,
      signal,
      onStage: (text) => t.comment(text),
    }),
  );
  t.equal(result.verdict.outcome, "held", JSON.stringify(result.verdict.invariants, null, 2));
  const bundle = await readBundle(result.directory);
  if (isSkipped(bundle)) throw new Error(bundle.reason);
  return { ...result, bundle };
}

const invariant = ({ verdict }: RunResult, named: string) =>
  verdict.invariants.find(({ name }) => name === named);

t.test("a bounded drain is measured, finished fast, and judged to the last order", async (t) => {
  // 80 orders, of which 10 a second are paid: 45 deep, and 5 s of drain, of which two are watched.
  const changes = "workers=5 rate=20 seconds=4 payment_seconds=0.5 drain_seconds=2";
  const result = await run(workerScaling, changes);
  const { findings = {}, highest } = result.figures;
  t.equal(findings.orders, invariant(result, "accepted-orders-are-settled")?.counts.checked);
  t.ok((findings.left_after_watch ?? 0) > 0, `${findings.left_after_watch} were left`);
  t.ok((findings.peak_depth ?? 0) > 35 && (findings.peak_depth ?? 0) <= 80, `${findings.peak_depth} deep`);
  t.ok((findings.peak_depth ?? 0) - (findings.peak_waiting ?? 0) <= 6, "five of them in hand");
  t.ok((findings.drain_forecast_s ?? 0) > 3.5, `${findings.drain_forecast_s} s`);
  t.notOk("drain_s" in findings, "a forecast is no drain that was measured");
  t.ok(
    (findings.processed_per_s ?? 0) > 4 && (findings.processed_per_s ?? 0) <= 10.2,
    "no more than five workers can",
  );
  t.equal(highest.workers, 5);
  t.match(
    result.beside.find(({ what }) => what === "drain"),
    { model: /^[45]/, how: /were watched/ },
  );
  t.same(result.bundle.run.beside, result.beside, "filed as it was told");
  t.equal(result.bundle.run.figures?.findings?.drain_forecast_s, findings.drain_forecast_s);
  const csv = await readFile(join(result.directory, "metrics_orders.csv"), "utf8");
  t.match(csv, /,finish,/, "what was done fast is marked");
  const { parts } = await runtime.status();
  t.ok(
    parts.every(({ overrides }) => Object.keys(overrides).length === 0),
    "services have their own configuration again",
  );
});

t.test("metrics lie where the published collection has its own, and no bundle is touched", async (t) => {
  const local = join(resultsDir, "local");
  const copies = (await readdir(local)).filter((name) => /^metrics_.*\.csv$/.test(name));
  const [copy = ""] = copies;
  t.match(copy, /^metrics_orders_worker-scaling_\d{4}-.*\.csv$/);
  const run = /worker-scaling_(.*)\.csv$/.exec(copy)?.[1] ?? "";
  const bundle = join(local, "orders", "worker-scaling", run);
  t.equal(
    await readFile(join(local, copy), "utf8"),
    await readFile(join(bundle, "metrics_orders.csv"), "utf8"),
  );
  t.notOk(isSkipped(await readBundle(bundle)), basename(bundle));
});

t.test("workers come with the backlog, and it drains sooner than the least of them could", async (t) => {
  const changes =
    "workers=1 backlog_per_worker=3 most_workers=40 rate=20 seconds=6 payment_seconds=0.5 drain_seconds=60";
  const { figures } = await run(workerScaling, changes);
  const { findings = {}, highest } = figures;
  t.ok((highest.workers ?? 0) > 5, `${highest.workers} workers`);
  t.equal(findings.left_after_watch, 0);
  // One worker would take a minute for these 120 orders.
  t.ok((findings.drain_s ?? Number.NaN) < 30, `${findings.drain_s} s`);
});

t.test("of synchronous customers about a third is served, and the queued ones all", async (t) => {
  const result = await run(syncVsAsync, "seconds=6 payment_seconds=0.3 timeout=3");
  const { findings = {}, steps } = result.figures;
  const { sync_succeeded = 0, sync_failed = 0, sync_finished = 0 } = findings;
  t.ok(sync_succeeded >= 5 && sync_succeeded <= 9, `${sync_succeeded} of nine`);
  t.ok(sync_failed >= 18 && sync_failed <= 22, `${sync_failed} of twenty`);
  t.equal(sync_finished, sync_succeeded + sync_failed);
  t.equal(findings.sync_timed_out, sync_failed, "each of them hung up");
  t.ok((steps.find(({ step }) => step.name === "sync")?.timed_out ?? 0) >= sync_failed);
  t.ok(Math.abs((findings.sync_median_ms ?? 0) - 3000) < 150, `${findings.sync_median_ms} ms`);
  t.ok((findings.sync_charged_after_hang_up ?? 0) > 0, "kept in the line, they are charged all the same");
  t.match(invariant(result, "synchronous-answers-are-true"), { outcome: "held" });
  t.equal(findings.async_failed, 0);
  t.ok((findings.async_finished ?? 0) > 5 * sync_finished, `${findings.async_finished} were queued`);
});

t.test("taken out of the line, who hung up is not charged", async (t) => {
  const result = await run(syncVsAsync, "seconds=4 payment_seconds=0.3 timeout=2 abandon=1");
  const abandoned = result.verdict.observations.find(({ name }) => name === "abandoned");
  const { abandoned: all = 0, charged = 0, dropped = 0 } = abandoned?.counts ?? {};
  t.ok(dropped > 0, `${dropped} of ${all}`);
  t.equal(charged + dropped, all, "those whose payment had begun are charged, all others are not");
});

t.test("users come one by one, and are answered long before their payment", async (t) => {
  const changes = "users=10 spawn=5 seconds=4 think=0.2 payment_seconds=1";
  const { figures, readings, performance } = await untilValid(() => run(latency, changes));
  const [load] = figures.steps;
  t.equal(load?.step.seconds, 6);
  // Ten users at five a second, the first two seconds half of them.
  t.ok((load?.answers ?? 0) > 100 && (load?.answers ?? 0) <= 260, `${load?.answers} answers`);
  t.match(performance, { outcome: "valid" });
  t.match(readings, [/without waiting for it/]);
});

t.test("the same services by either broker, each with its times to completion", async (t) => {
  const rows = rowsOf(brokers, parseVariant("rate=10 seconds=4"));
  const lines = [];
  for (const { variant } of rows) {
    const { figures, beside } = await runVariant(brokers, variant);
    const { completed = 0, end_to_end_p50_ms = Number.NaN } = figures.findings ?? {};
    t.ok(completed >= 40, `${completed} completed`);
    t.ok(end_to_end_p50_ms > 0 && end_to_end_p50_ms < 5000, `${end_to_end_p50_ms} ms`);
    lines.push(...beside);
  }
  t.same([...new Set(lines.map(({ of }) => of))], ["SNS and SQS", "BullMQ"]);
});
