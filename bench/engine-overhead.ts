/**
 * What the experiment engine costs beside k6: the same closed load on a bare server, in turns with the engine and by k6
 * alone; both processors are busy, so whatever the engine takes is missing from the rate. The engine samples a real lab of
 * processes meanwhile, as in any run. Goals: the rate with the engine is at least 0.98 of that without, and its processor
 * time under 5 % of one core.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOrBuildK6 } from "../lab/src/engines/k6.ts";
import type { Experiment } from "../lab/src/experiments/experiment.ts";
import { metric, readSummary, startK6 } from "../lab/src/experiments/k6-run.ts";
import { schedule } from "../lab/src/experiments/load-schedule.ts";
import { observeOrders, orderSamples } from "../lab/src/experiments/orders/observe-orders.ts";
import { runExperiment } from "../lab/src/experiments/run-experiment.ts";
import { rootDir } from "../lab/src/paths.ts";
import type { Runtime } from "../lab/src/runtimes/runtime.ts";
import { environmentWithDotEnv, settingsFromEnv } from "../lab/src/settings.ts";
import { verdictOf } from "../lab/src/verdicts/verdict.ts";
import { startLab } from "./lib/own-lab.ts";
import { interleave, median, spread } from "./lib/ratio.ts";
import { startServer } from "./lib/server.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const SECONDS = 10;
const USERS = 10;
const LEAST_RATIO = 0.98;
const MOST_CPU = 0.05;
const signal = AbortSignal.timeout(20 * 60_000);

const settings = settingsFromEnv(environmentWithDotEnv(rootDir, process.env), rootDir);
const k6 = await findOrBuildK6({ settings, signal, onEvent: ({ text }) => console.log(text) });
const directory = await mkdtemp(join(tmpdir(), "parallax-bench-"));
await using lab = await startLab("process", signal);
await using server = await startServer("servers/echo.ts");

const experiment: Experiment = {
  system: "bench",
  name: "overhead",
  summary: "",
  script: "orders/place-orders.ts",
  parameters: {},
  target: "echo",
  load: () => [
    {
      name: "load",
      kind: "measured",
      arrivals: { model: "closed", users: USERS, think_seconds: 0 },
      seconds: SECONDS,
    },
  ],
  services: () => ({}),
  settleSeconds: 0,
  samples: orderSamples,
  // The verdict comes after the load, and is no part of what is measured.
  async observe() {
    const observed = await observeOrders(lab.runtime);
    return { ...observed, drained: async () => true, judge: async () => verdictOf([]) };
  },
};
/** Shares of one core that this process took during the load. */
const shares: number[] = [];

async function withEngine(): Promise<number> {
  const runtime = withEcho(lab.runtime);
  let before: { at: number; cpu: NodeJS.CpuUsage } | undefined;
  let share = Number.NaN;
  const { figures } = await runExperiment({
    experiment,
    runtime,
    environment: "local",
    k6,
    faults: [],
    resultsDir: directory,
    signal,
    onStage: () => {},
    onRow: ({ stage, elapsed_s }) => {
      if (stage !== "load") return;
      // From the second second on; the last row of the load is the one that stays.
      const at = performance.now();
      if (!before && Number(elapsed_s) >= 1) before = { at, cpu: process.cpuUsage() };
      else if (before) {
        const { user, system } = process.cpuUsage(before.cpu);
        share = (user + system) / 1000 / (at - before.at);
      }
    },
  });
  shares.push(share);
  return (figures.steps[0]?.iterations ?? 0) / SECONDS;
}

let runs = 0;
async function k6Alone(): Promise<number> {
  runs += 1;
  const at = (name: string) => join(directory, `alone-${runs}-${name}`);
  const files = { answers: at("answers.jsonl"), summary: at("summary.json"), log: at("k6.log") };
  const { ended } = await startK6({
    k6: k6.path,
    script: experiment.script,
    variables: {
      BASE_URL: server.url,
      RUN_ID: `alone-${runs}`,
      LOAD: JSON.stringify(schedule(experiment.load({}))),
    },
    files,
    signal,
  });
  await ended;
  const summary = await readSummary(files.summary);
  return summary ? metric(summary, "iterations", "count") / SECONDS : Number.NaN;
}

/** The lab, but for where the load goes. */
function withEcho(runtime: Runtime): Runtime {
  return new Proxy(runtime, {
    get(target, name) {
      if (name === "endpoint") return () => server.url;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

try {
  await k6Alone();
  const { a, b, ratios } = await interleave(ROUNDS, withEngine, k6Alone);
  console.log(`iterations/s: with the engine ${median(a).toFixed(0)}, k6 alone ${median(b).toFixed(0)}`);
  console.log(`with ÷ without: ${spread(ratios, 3)} (goal: ${LEAST_RATIO} and above)`);
  console.log(
    `the engine took of one core: ${spread(
      shares.map((share) => share * 100),
      1,
    )} % (goal: under ${MOST_CPU * 100} %)`,
  );
  console.log(`(${ROUNDS} interleaved pairs, ${USERS} users, ${SECONDS} s each)`);
  process.exitCode = median(ratios) >= LEAST_RATIO && median(shares) < MOST_CPU ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
