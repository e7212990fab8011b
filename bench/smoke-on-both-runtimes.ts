/**
 * The smoke experiment on both runtimes, in turns: what containers add. Two labs of this benchmark's own are up at the
 * same time, on ports of their own; while one is under load, the other idles. Needs a Docker engine, and k6.
 */

import { join } from "node:path";
import { findEngine } from "../lab/src/docker/engine.ts";
import { findOrBuildK6 } from "../lab/src/engines/k6.ts";
import { metricsOf } from "../lab/src/experiments/figures.ts";
import { smoke } from "../lab/src/experiments/orders/smoke.ts";
import { runExperiment } from "../lab/src/experiments/run-experiment.ts";
import { rootDir } from "../lab/src/paths.ts";
import type { Runtime } from "../lab/src/runtimes/runtime.ts";
import { environmentWithDotEnv, type RuntimeName, settingsFromEnv } from "../lab/src/settings.ts";
import { type BenchLab, startLab } from "./lib/own-lab.ts";
import { median, spread } from "./lib/ratio.ts";

const ROUNDS = 5;
const signal = AbortSignal.timeout(20 * 60_000);
const given = environmentWithDotEnv(rootDir, process.env);

const found = await findEngine();
if (!found.usable) {
  console.log(`not measured: ${found.reason} ${found.remedy}`);
} else {
  const settings = settingsFromEnv(given, rootDir);
  const k6 = await findOrBuildK6({ settings, signal, onEvent: ({ text }) => console.log(text) });
  await using processes = await startLab("process", signal);
  await using containers = await startLab("compose", signal);

  /** Figures of one run, whose verdict must hold. */
  const run = async (lab: BenchLab): Promise<Record<string, number>> => {
    const before = await cpuSeconds(lab.runtime);
    const { verdict, figures } = await runExperiment({
      experiment: smoke,
      runtime: lab.runtime,
      environment: "local",
      k6,
      faults: [],
      resultsDir: join(lab.settings.labDir, "results"),
      signal,
      onStage: () => {},
      onRow: () => {},
    });
    if (verdict.outcome !== "held")
      throw new Error(`A run is ${verdict.outcome}: ${JSON.stringify(verdict)}`);
    // Engines only: services are restarted with the experiment's settings, and count from there.
    return { ...metricsOf(figures), engines_cpu_s: (await cpuSeconds(lab.runtime)) - before };
  };

  const pairs: { process: Record<string, number>; compose: Record<string, number> }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    pairs.push({ process: await run(processes), compose: await run(containers) });
    console.log(`pair ${round + 1} of ${ROUNDS}`);
  }
  const names = ["achieved_rate", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "engines_cpu_s"];
  for (const name of names) {
    const of = (kind: RuntimeName) => pairs.map((pair) => pair[kind][name] ?? Number.NaN);
    const ratios = pairs.map(
      (pair) => (pair.compose[name] ?? Number.NaN) / (pair.process[name] ?? Number.NaN),
    );
    console.log(
      `${name}: process ${median(of("process")).toFixed(2)}, compose ${median(of("compose")).toFixed(2)}, compose ÷ process ${spread(ratios)}`,
    );
  }
  console.log(`(${ROUNDS} interleaved pairs; emulators: fauxqs and ${containers.settings.emulator})`);
}

async function cpuSeconds(runtime: Runtime): Promise<number> {
  const { parts } = await runtime.status();
  return parts.reduce((sum, { kind, cpu_seconds }) => sum + (kind === "engine" ? (cpu_seconds ?? 0) : 0), 0);
}
