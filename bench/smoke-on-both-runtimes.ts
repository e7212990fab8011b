/**
 * The smoke experiment on both runtimes, in turns: what containers add. Two labs of this benchmark's own are up at the
 * same time, on ports of their own; while one is under load, the other idles. Needs a Docker engine, and k6.
 */

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findEngine } from "../lab/src/docker/engine.ts";
import { findOrBuildK6 } from "../lab/src/engines/k6.ts";
import { removeOutside } from "../lab/src/engines/postgres-home.ts";
import { metricsOf } from "../lab/src/experiments/figures.ts";
import { smoke } from "../lab/src/experiments/orders/smoke.ts";
import { runExperiment } from "../lab/src/experiments/run-experiment.ts";
import { labPaths, rootDir } from "../lab/src/paths.ts";
import { createRuntime } from "../lab/src/runtimes/create-runtime.ts";
import type { Runtime } from "../lab/src/runtimes/runtime.ts";
import {
  environmentWithDotEnv,
  portVariables,
  type RuntimeName,
  type Settings,
  settingsFromEnv,
} from "../lab/src/settings.ts";
import { freePort } from "../lab/src/util/ports.ts";
import { median, spread } from "./lib/ratio.ts";

const ROUNDS = 5;
const signal = AbortSignal.timeout(20 * 60_000);
const given = environmentWithDotEnv(rootDir, process.env);

interface Lab extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly settings: Settings;
}

async function startLab(name: RuntimeName): Promise<Lab> {
  const directory = await mkdtemp(join(tmpdir(), "parallax-bench-"));
  // As root, Postgres runs as another user, who must be able to pass through.
  await chmod(directory, 0o711);
  const ports = await Promise.all(
    portVariables.map(async (each) => [each, String(await freePort())] as const),
  );
  const own = { LAB_DIR: directory, COMPOSE_PROJECT_NAME: `parallax-bench-${process.pid}` };
  const settings = settingsFromEnv({ ...given, ...Object.fromEntries(ports), ...own }, rootDir);
  const runtime = createRuntime(settings, name);
  await runtime.up({ profiles: ["orders"], signal, onEvent: () => {} });
  return {
    runtime,
    settings,
    async [Symbol.asyncDispose]() {
      await runtime.down();
      await runtime.removeData();
      removeOutside(labPaths(directory));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const found = await findEngine();
if (!found.usable) {
  console.log(`not measured: ${found.reason} ${found.remedy}`);
} else {
  const settings = settingsFromEnv(given, rootDir);
  const k6 = await findOrBuildK6({ settings, signal, onEvent: ({ text }) => console.log(text) });
  await using processes = await startLab("process");
  await using containers = await startLab("compose");

  /** Figures of one run, whose verdict must hold. */
  const run = async (lab: Lab): Promise<Record<string, number>> => {
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
