/** A bundle as a run of ours would file it, with what a test wants to be otherwise. */

import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Bundle, FORMAT, MANIFEST } from "../../src/experiments/bundle.ts";
import { type RunFigures, stepFigures } from "../../src/experiments/figures.ts";
import { LatencyLog, LatencyRecorder } from "../../src/experiments/latency.ts";
import { schedule } from "../../src/experiments/load-schedule.ts";
import type { RunRecord, VerdictRecord } from "../../src/experiments/run-record.ts";

export interface BundleChanges {
  readonly at?: Date;
  readonly run?: Partial<Record<keyof RunRecord, unknown>>;
  /** null: a run that was never judged. */
  readonly verdict?: Partial<VerdictRecord> | null;
}

const BEGAN = new Date("2026-11-21T06:39:00.123Z");
const ANSWERS = 200;

/** Resolves to its directory. */
export async function writeBundle(root: string, changes: BundleChanges = {}): Promise<string> {
  const { at = BEGAN, run, verdict } = changes;
  const bundle = await Bundle.begin(root, ["local", "orders", "smoke"], at);
  const figures = await writeFigures(bundle);
  await bundle.writeJson("run.json", { ...recordOf(at, figures), ...run });
  if (verdict !== null) await bundle.writeJson("verdict.json", { ...held, ...verdict });
  return bundle.finish();
}

/** Changes a file of a sealed bundle, as somebody might who wants another result. */
export async function tamper(bundle: string, file: string, text: string): Promise<void> {
  const path = join(bundle, file);
  await chmod(path, 0o644);
  await writeFile(path, text);
}

/** Seals what is there anew: the digests fit, whatever the files hold. */
export async function sealAnew(
  bundle: string,
  files: readonly string[],
  digestOf: (path: string) => Promise<unknown>,
): Promise<void> {
  const entries = await Promise.all(files.map(async (file) => [file, await digestOf(join(bundle, file))]));
  await tamper(
    bundle,
    MANIFEST,
    JSON.stringify({ format: FORMAT, files: Object.fromEntries(entries as [string, unknown][]) }),
  );
}

async function writeFigures(bundle: Bundle): Promise<RunFigures> {
  const recorder = new LatencyRecorder();
  for (let i = 0; i < ANSWERS; i += 1) {
    const at = BEGAN.getTime() + i * 50;
    recorder.record({
      at,
      wallMs: 20,
      micros: 20_000,
      status: 200,
      timedOut: false,
      step: "load",
      op: "place",
    });
  }
  const log = new LatencyLog(bundle.path("latency.hlog"), BEGAN);
  const summary = { metrics: { "iterations{scenario:load}": { values: { count: ANSWERS } } } };
  const figures = steps.map((step) => stepFigures(step, recorder.series, summary, {}));
  log.write(recorder, 0, 10);
  await log.close();
  const part = {
    cpu_s: 1,
    memory_mb_max: 80,
    network_rx_mb: null,
    network_tx_mb: null,
    throttled_s: null,
  };
  return {
    steps: figures,
    parts: { "orders-receiver": part },
    generator: { ...part, cpu_share: 0.1, cpu_share_peak: null },
    highest: { queue_visible: 3 },
  };
}

const steps = schedule([
  { name: "load", kind: "measured", arrivals: { model: "open", rate: 20 }, seconds: 10 },
]);

function recordOf(at: Date, figures: RunFigures): RunRecord {
  return {
    format: 2,
    begun: at.toISOString(),
    ended: new Date(at.getTime() + 20_000).toISOString(),
    state: "finished",
    environment: "local",
    experiment: {
      system: "orders",
      name: "smoke",
      script: "orders/place-orders.ts",
      primary_metric: "latency_p50_ms",
      parameters: { rate: 20 },
      services: {},
    },
    set: null,
    faults: [],
    commit: null,
    dirty: null,
    runtime: "process",
    versions: { redis: "8.0" },
    tools: { node: "v26.0.0", k6: "1.8.1" },
    machine: { os: "Linux 6.1", arch: "x64", cpus: 2, cpu_model: "a processor", memory_mb: 8000 },
    figures: JSON.parse(JSON.stringify(figures)),
  };
}

const held: VerdictRecord = {
  correctness: {
    outcome: "held",
    invariants: [{ name: "work-was-done", outcome: "held", detail: "There were answers.", counts: {} }],
    observations: [],
  },
  performance: { outcome: "valid", reasons: [] },
  crossed_thresholds: [],
};
