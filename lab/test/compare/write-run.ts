/** Bundles as a run leaves them, with figures of the test's choice; sealed like real ones. */
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Bundle, FORMAT, MANIFEST } from "../../src/experiments/bundle.ts";
import type { RunRecord, VerdictRecord } from "../../src/experiments/run-record.ts";

export interface WrittenRun {
  /** Below this, as in `results/`. */
  readonly root: string;
  readonly begun: Date;
  readonly p50: number;
  readonly workers?: string;
  readonly experiment?: string;
  readonly primaryMetric?: string;
  readonly state?: RunRecord["state"];
  readonly correctness?: VerdictRecord["correctness"]["outcome"];
  readonly performance?: VerdictRecord["performance"];
  readonly set?: RunRecord["set"];
}

/** Resolves to the bundle's directory. */
export async function writeRun(run: WrittenRun): Promise<string> {
  const { root, begun, correctness = "held", performance = { outcome: "valid", reasons: [] } } = run;
  const bundle = await Bundle.begin(root, ["local", "orders", run.experiment ?? "smoke"], begun);
  await bundle.writeJson("run.json", recordOf(run));
  const verdict: VerdictRecord = {
    correctness: { outcome: correctness, invariants: [], observations: [] },
    performance,
    crossed_thresholds: [],
  };
  await bundle.writeJson("verdict.json", verdict);
  return bundle.finish();
}

/** A run that was cut off before it could end. */
export async function writeUnfinishedRun(run: WrittenRun): Promise<string> {
  const directory = await writeRun(run);
  await rename(directory, `${directory}.unfinished`);
  return `${directory}.unfinished`;
}

/** A run of before there were manifests. */
export async function writeOldRun(run: WrittenRun): Promise<string> {
  const directory = await writeRun(run);
  await rm(join(directory, MANIFEST));
  await rm(join(directory, "run.json"));
  await writeFile(join(directory, "run.json"), JSON.stringify({ format: 1 }));
  return directory;
}

function recordOf(run: WrittenRun): RunRecord {
  const { begun, p50, workers = "20", experiment = "smoke", state = "finished" } = run;
  const { primaryMetric = "latency_p50_ms", performance = { outcome: "valid", reasons: [] } } = run;
  const latency = { mean: p50, p50, p90: p50 * 2, p95: p50 * 3, p99: p50 * 4, p999: p50 * 5, max: p50 * 6 };
  const counts = { answers: 200, errors: 0, unanswered: 0, latency_ms: latency };
  const usage = { cpu_s: 0.5, memory_mb_max: 100, network_rx_mb: null, network_tx_mb: null, throttled_s: 0 };
  return {
    format: FORMAT,
    begun: begun.toISOString(),
    ended: begun.toISOString(),
    state,
    environment: "local",
    experiment: {
      system: "orders",
      name: experiment,
      script: "orders/place-orders.ts",
      primary_metric: primaryMetric,
      parameters: { rate: 20 },
      services: { "orders-processor": { NUM_WORKERS: workers } },
    },
    set: run.set ?? null,
    faults: [],
    commit: "0".repeat(40),
    dirty: false,
    runtime: "process",
    versions: { redis: "8.0" },
    tools: { node: "26.0.0", k6: "1.8.1" },
    machine: { os: "Linux", arch: "x64", cpus: 2, cpu_model: "a processor", memory_mb: 4096 },
    figures: {
      steps: [
        {
          step: {
            name: "load",
            kind: "measured",
            arrivals: { model: "open", rate: 20 },
            seconds: 10,
            begins: 0,
          },
          iterations: 200,
          dropped_iterations: 0,
          achieved_rate: 20,
          answered_rate: 20,
          ...counts,
          operations: { place: counts },
          performance,
        },
      ],
      parts: { "orders-receiver": usage },
      generator: { ...usage, cpu_share: 0.1, cpu_share_peak: 0.2 },
      highest: { queue_visible: 0 },
    },
  };
}
