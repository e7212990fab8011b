/** The middle of a run: k6 makes the load while the run is sampled, then the system settles, then all is verified. */

import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../cli/lab-error.ts";
import { judgeRun, type Performance } from "../verdicts/performance.ts";
import type { Verdict } from "../verdicts/verdict.ts";
import { AnswerTail } from "./answer-lines.ts";
import type { Bundle } from "./bundle.ts";
import type { Observed } from "./experiment.ts";
import { injectFaults } from "./faults.ts";
import { type RunFigures, stepFigures } from "./figures.ts";
import {
  crossedThresholds,
  type K6Files,
  type K6Summary,
  metric,
  readSummary,
  startK6,
  THRESHOLDS_CROSSED,
} from "./k6-run.ts";
import { LatencyLog, LatencyRecorder } from "./latency.ts";
import { describeStep, lengthOf } from "./load-schedule.ts";
import { MetricsCsv } from "./metrics-csv.ts";
import type { PlannedRun, RunOptions } from "./run-experiment.ts";
import { type Sampler, startSampler } from "./sampler.ts";

export interface ConductedLoad {
  readonly verdict: Verdict;
  readonly performance: Performance;
  readonly crossedThresholds: readonly string[];
  readonly figures: RunFigures;
}

export const FILES = { answers: "answers.jsonl", summary: "k6-summary.json", log: "k6.log" } as const;
/** SQS counts are approximate: an empty queue is believed when it is seen so often in a row. */
const EMPTY_SIGHTINGS = 3;

/** @throws LabError; also what the sampler met, such as a full disk */
export async function conductLoad(
  options: RunOptions,
  plan: PlannedRun,
  bundle: Bundle,
  observed: Observed,
): Promise<ConductedLoad> {
  const { experiment, runtime } = options;
  /** Ends what belongs to this run, whether or not the command goes on. */
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const files: K6Files = {
    answers: bundle.path(FILES.answers),
    summary: bundle.path(FILES.summary),
    log: bundle.path(FILES.log),
  };
  options.onStage(`load: ${plan.steps.map(describeStep).join(", ")}`);
  const began = new Date();
  const k6 = await startK6({
    k6: options.k6.path,
    script: experiment.script,
    variables: {
      BASE_URL: runtime.endpoint(experiment.target),
      RUN_ID: `${experiment.name}-${began.getTime().toString(36)}`,
      LOAD: JSON.stringify(plan.steps),
    },
    files,
    signal,
  });
  const csv = new MetricsCsv(bundle.path(`metrics_${experiment.system}.csv`));
  const answers = new AnswerTail(files.answers);
  const latencies = new LatencyRecorder();
  const log = new LatencyLog(bundle.path("latency.hlog"), began);
  const sampler = startSampler({
    runtime,
    observed,
    samples: experiment.samples,
    steps: plan.steps,
    answers,
    latencies,
    log,
    csv,
    directory: bundle.directory,
    generatorPid: k6.pid,
    onRow: options.onRow,
    onTrouble: (error) => over.abort(error),
  });
  try {
    const faults = injectFaults(plan.faults, runtime, { signal, onFault: options.onStage });
    const [{ code }] = await Promise.all([k6.ended, faults]);
    signal.throwIfAborted();
    if (code !== 0 && code !== THRESHOLDS_CROSSED) throw k6Failed(code, files.log);

    sampler.stage = "settle";
    options.onStage("settling: waiting until nothing is on its way");
    const drained = await settle(observed, experiment.settleSeconds, signal);
    await sampler.stop();

    options.onStage("verifying every answer");
    const summary = await readSummary(files.summary);
    if (!summary) throw k6Failed(code, files.log);
    const requests = metric(summary, "http_reqs", "count");
    const verdict = await observed.judge({ answersFile: files.answers, requests, drained });
    const figures = runFigures(plan, latencies, summary, sampler);
    return {
      verdict,
      performance: judgeRun(
        figures.steps
          .filter(({ step }) => step.kind === "measured")
          .map(({ step, performance }) => ({ name: step.name, performance })),
      ),
      crossedThresholds: crossedThresholds(summary),
      figures,
    };
  } finally {
    over.abort();
    await k6.ended;
    // What went wrong with sampling has been told already, where it came first.
    await sampler.stop().catch(() => {});
    await Promise.all([csv.close(), log.close()]);
  }
}

function runFigures(
  { steps }: PlannedRun,
  { series }: LatencyRecorder,
  summary: K6Summary,
  sampler: Sampler,
): RunFigures {
  const { parts, generator, generatorCpu, highest } = sampler.figures();
  const whole = generatorCpu[""];
  return {
    steps: steps.map((step) => stepFigures(step, series, summary, generatorCpu[step.name] ?? {})),
    parts,
    generator: { ...generator, cpu_share: whole?.meanCpu ?? null, cpu_share_peak: whole?.peakCpu ?? null },
    highest,
  };
}

/** Resolves to whether everything had drained before the time was over. */
async function settle(observed: Observed, seconds: number, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + seconds * 1000;
  for (let sightings = 0; performance.now() < until; ) {
    signal.throwIfAborted();
    sightings = (await observed.drained().catch(() => false)) ? sightings + 1 : 0;
    if (sightings === EMPTY_SIGHTINGS) return true;
    await sleep(300, undefined, { signal });
  }
  return false;
}

/** For progress: seconds that are left of the load. */
export function secondsLeft({ steps }: Pick<PlannedRun, "steps">, elapsed: number): number {
  return Math.max(0, Math.ceil(lengthOf(steps) - elapsed));
}

function k6Failed(code: number | null, log: string): LabError {
  return new LabError("COMMAND_FAILED", `k6 did not run to its end (exit code ${code}).`, {
    remedy: `Read ${log.replace(/\.unfinished/, "")}.`,
  });
}
