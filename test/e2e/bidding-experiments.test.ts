/** The experiments of bidding on the real lab of processes, at a size that takes seconds: what they judge, find and set side by side. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { atomicity } from "../../lab/src/experiments/bidding/atomicity.ts";
import { BiddingApi } from "../../lab/src/experiments/bidding/bidding-api.ts";
import { contention } from "../../lab/src/experiments/bidding/contention.ts";
import { fanOut } from "../../lab/src/experiments/bidding/fan-out.ts";
import { smoke } from "../../lab/src/experiments/bidding/smoke.ts";
import type { Experiment, Fault } from "../../lab/src/experiments/experiment.ts";
import { parseVariant, type Variant } from "../../lab/src/experiments/parameters.ts";
import { isSkipped, readBundle } from "../../lab/src/experiments/read-bundle.ts";
import { rowsOf } from "../../lab/src/experiments/rows.ts";
import { type RunResult, runExperiment } from "../../lab/src/experiments/run-experiment.ts";
import { anyK6, runOptions } from "../lib/own-experiment.ts";
import { ownLab } from "../lib/own-lab.ts";

// Only the first time, where k6 and NATS have to be built.
t.setTimeout(1_200_000);

const k6 = await anyK6(t);
const signal = AbortSignal.timeout(1_100_000);
const { runtime, directory } = await ownLab(t, { PROFILE: "bidding" });
const resultsDir = join(directory, "results");

async function run(experiment: Experiment, variant: Variant, faults: readonly Fault[] = []) {
  const result = await runExperiment(
    runOptions({
      experiment,
      variant,
      faults,
      runtime,
      k6,
      resultsDir,
      signal,
      onStage: (text) => t.comment(text),
    }),
  );
  const notHeld = result.verdict.invariants.filter(({ outcome }) => outcome !== "held");
  t.same(notHeld, [], "correctness held");
  const bundle = await readBundle(result.directory);
  if (isSkipped(bundle)) throw new Error(bundle.reason);
  return { ...result, bundle };
}

const invariant = ({ verdict }: RunResult, named: string) =>
  verdict.invariants.find(({ name }) => name === named);

t.test("a smoke test has bids of both kinds, each is judged, and a refusal is no error", async (t) => {
  const result = await run(smoke, parseVariant("rate=30 seconds=5"));
  const { findings = {}, steps } = result.figures;
  const load = steps.find(({ step }) => step.name === "load");
  t.ok((findings.accepted ?? 0) > 50, `${findings.accepted} were accepted`);
  t.ok((findings.refused ?? 0) > 5, `${findings.refused} were refused`);
  t.equal((findings.accepted ?? 0) + (findings.refused ?? 0), findings.bids);
  t.equal(load?.errors, 0);
  t.equal(findings.lost_updates, 0);
  t.same(result.crossedThresholds, []);
  t.match(invariant(result, "live-subscribers-end-equal"), { outcome: "held", counts: { checked: 3 } });
  t.equal(invariant(result, "refusals-were-right")?.outcome, "held");
  const archived = invariant(result, "archive-is-what-was-accepted");
  t.equal(archived?.outcome, "held", "the archive has caught up");
  const csv = await readFile(join(result.directory, "metrics_bidding.csv"), "utf8");
  t.match(csv, /,accepted,accepted_per_s,archive_lag,live_connected,live_lag,/);
  t.match(result.bundle.run.experiment, { name: "smoke", parameters: { rate: 30 } });
});

t.test("contention accepts a share that says something, however many bid, and loses nothing", async (t) => {
  for (const users of [20, 400]) {
    const result = await run(contention, parseVariant(`users=${users} seconds=4 spawn=200`));
    const { findings = {}, steps } = result.figures;
    const { accepted_percent = 0 } = findings;
    t.ok(accepted_percent > 12 && accepted_percent < 85, `${users} users: ${accepted_percent} %`);
    t.equal(findings.lost_updates, 0);
    t.ok((findings.accepted ?? 0) > 100, `${findings.accepted} were accepted`);
    t.equal(steps.find(({ step }) => step.name === "load")?.errors, 0);
    t.match(result.readings, [/No update was lost/]);
    const line = result.beside.find(({ what }) => what === "answers");
    t.match(line, { of: `${users} users`, published: null });
    t.notOk(line?.publishedBy, "nothing of such a run was published");
    t.same(result.bundle.run.beside, result.beside, "filed as it was told");
  }
  await using api = BiddingApi.of(runtime);
  const auctions = await api.newestAuctions(10);
  t.equal(
    new Set(auctions.map(({ item }) => item)).size,
    3,
    "an auction a run, and none for what only looks",
  );
});

t.test("a script and WATCH lose nothing under the same load, and both are told", async (t) => {
  const lines = [];
  for (const { variant } of rowsOf(atomicity, parseVariant("users=30 seconds=3"))) {
    const { beside, figures } = await run(atomicity, variant);
    t.equal(figures.findings?.lost_updates, 0);
    lines.push(...beside);
  }
  t.same([...new Set(lines.map(({ of }) => of))], ["one script", "WATCH, MULTI, EXEC"]);
  t.ok(lines.filter(({ what }) => what === "answers").every(({ measured }) => (measured ?? 0) > 0));
  const { parts } = await runtime.status();
  t.ok(
    parts.every(({ overrides }) => Object.keys(overrides).length === 0),
    "services have their own configuration again",
  );
});

t.test("prices come to all who watch; who stalls is cut off and nobody waits for it", async (t) => {
  const changes = "watchers=60 stalled=1 rate=40 seconds=8 ping_seconds=1";
  const result = await run(fanOut, parseVariant(changes));
  const { findings = {}, parts } = result.figures;
  t.match(invariant(result, "live-subscribers-end-equal"), { outcome: "held", counts: { checked: 60 } });
  const { delivery_p50_ms = Number.NaN, prices_per_watcher_s = 0, accepted_per_s = 0 } = findings;
  t.ok(delivery_p50_ms > 0 && delivery_p50_ms < 5000, `${delivery_p50_ms} ms`);
  t.ok(prices_per_watcher_s > 2 && prices_per_watcher_s < 25, `${prices_per_watcher_s} prices a second each`);
  t.ok(prices_per_watcher_s <= accepted_per_s * 1.5, "no more than there were");
  t.equal(findings.stalled_cut_off, 1);
  t.ok((findings.stalled_cut_off_s ?? Number.NaN) < 10, `after ${findings.stalled_cut_off_s} s`);
  t.ok((parts["bidding-broadcaster"]?.memory_mb_max ?? 0) > 1);
  t.match(result.readings, [/at most 20/, /1 of 1 who stalled were cut off/]);
});

t.test(
  "a gateway that dies in the middle: bids are sent again under their own ids, and none counts twice",
  async (t) => {
    const fault = { part: "bidding-gateway-1", action: "kill", atSeconds: 5 } as const;
    const result = await run(contention, parseVariant("users=20 seconds=8"), [fault]);
    const { findings = {} } = result.figures;
    t.ok((findings.repeated_answers ?? 0) > 0, `${findings.repeated_answers} answers to bids sent again`);
    t.equal(findings.lost_updates, 0);
    t.match(invariant(result, "one-effect-per-bid"), { outcome: "held" });
    t.match(result.faults, [fault]);
  },
);
