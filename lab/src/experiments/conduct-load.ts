/** The middle of a run: k6 makes the load while the run is sampled, then the system settles, then all is verified. */

import { LabError } from "../cli/lab-error.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { judgeRun, type Performance } from "../verdicts/performance.ts";
import type { Verdict } from "../verdicts/verdict.ts";
import { AnswerTail } from "./answer-lines.ts";
import type { Bundle } from "./bundle.ts";
import type { Fault, FinishedLoad, Observed } from "./experiment.ts";
import { type DoneFault, injectFaults, type LeftByFaults } from "./faults.ts";
import { type RunFigures, stepFigures } from "./figures.ts";
import {
  crossedThresholds,
  type K6Files,
  type K6Run,
  type K6Summary,
  metric,
  readSummary,
  startK6,
  THRESHOLDS_CROSSED,
} from "./k6-run.ts";
import { LatencyLog, LatencyRecorder } from "./latency.ts";
import { describeStep, lengthOf } from "./load-schedule.ts";
import { MetricsCsv, metricsFile } from "./metrics-csv.ts";
import type { PlannedRun } from "./plan-run.ts";
import type { RunOptions } from "./run-experiment.ts";
import { type Sampler, startSampler } from "./sampler.ts";
import { settleStages, untilAnswering } from "./settle.ts";
import { k6Failed } from "./trouble.ts";

export interface ConductedLoad {
  readonly verdict: Verdict;
  readonly performance: Performance;
  readonly crossedThresholds: readonly string[];
  /** What was done to parts, and when. */
  readonly faults: readonly DoneFault[];
  readonly figures: RunFigures;
}

export const FILES = { answers: "answers.jsonl", summary: "k6-summary.json", log: "k6.log" } as const;

export interface LoadSubject {
  readonly observed: Observed;
  /** Whether nothing was on its way when the load began. */
  readonly wasEmpty: boolean;
  readonly faults: Pick<LeftByFaults, "thaw">;
}

/** @throws LabError; also what the sampler met, such as a full disk */
export async function conductLoad(
  options: RunOptions,
  plan: PlannedRun,
  bundle: Bundle,
  { observed, wasEmpty, faults: left }: LoadSubject,
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
  const prepared = await observed.prepare?.(signal);
  options.onStage(`load: ${plan.steps.map(describeStep).join("; ")}`);
  const k6 = await startK6({
    k6: options.k6.path,
    script: experiment.script,
    variables: {
      ...prepared,
      BASE_URL: runtime.endpoint(targetOf(options)),
      RUN_ID: `${experiment.name}-${Date.now().toString(36)}`,
      LOAD: JSON.stringify(plan.steps),
    },
    files,
    signal,
  });
  const csv = new MetricsCsv(bundle.path(metricsFile(experiment.system)));
  const answers = new AnswerTail(files.answers, experiment.expectedStatuses);
  const latencies = new LatencyRecorder(experiment.expectedStatuses);
  const log = new LatencyLog(bundle.path("latency.hlog"));
  const load = Promise.withResolvers<number>();
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
    onLoad(began) {
      log.begin(new Date(began));
      load.resolve(began);
    },
    onRow: options.onRow,
    onTrouble: (error) => over.abort(error),
  });
  try {
    const { code, faults } = await loadWithFaults(
      k6.ended,
      plan.faults,
      runtime,
      load.promise,
      options.onStage,
    );
    signal.throwIfAborted();
    if (code !== 0 && code !== THRESHOLDS_CROSSED) throw k6Failed(code, files.log);
    if (faults.length < plan.faults.length) throw faultMissed(plan.faults, faults);

    const settled = await settleStages({ ...options, signal }, plan, observed, sampler);
    await sampler.stop();
    // Only now, since a part that nobody thawed is frozen for as long as the run is measured. What is frozen cannot be asked.
    if (await left.thaw()) await untilAnswering(observed, signal);

    options.onStage("verifying every answer");
    const summary = await readSummary(files.summary);
    if (!summary) throw k6Failed(code, files.log);
    const finished: FinishedLoad = {
      answersFile: files.answers,
      requests: metric(summary, "http_reqs", "count"),
      signal,
      steps: plan.steps,
      // Without a single line there is no beginning either, and nothing that could be found out with it.
      loadBegan: answers.loadBegan ?? Date.now(),
      ...settled,
    };
    const verdict = await observed.judge(finished);
    signal.throwIfAborted();
    const findings = await observed.findings?.(finished);
    signal.throwIfAborted();
    const figures = { ...runFigures(plan, latencies, summary, sampler), ...(findings && { findings }) };
    return {
      verdict,
      performance: judgeRun(
        figures.steps
          .filter(({ step }) => step.kind === "measured")
          .map(({ step, performance }) => ({ name: step.name, performance })),
        { unreadableLines: answers.unreadable, wasEmpty },
      ),
      crossedThresholds: crossedThresholds(summary),
      faults,
      figures,
    };
  } catch (error) {
    // What was waited for says only that it was aborted; the reason is what a person has to know.
    throw signal.aborted ? signal.reason : error;
  } finally {
    over.abort();
    await k6.ended;
    // What went wrong with sampling has been told already, where it came first.
    await sampler.stop().catch(() => {});
    await Promise.all([csv.close(), log.close()]);
  }
}

function targetOf({ experiment: { target }, runtime }: Pick<RunOptions, "experiment" | "runtime">): string {
  return typeof target === "string" ? target : target(runtime);
}

/** The end of k6 ends the waiting for faults, too. */
async function loadWithFaults(
  ended: K6Run["ended"],
  planned: readonly Fault[],
  runtime: Runtime,
  loadBegan: Promise<number>,
  onFault: (text: string) => void,
): Promise<{ code: number | null; faults: readonly DoneFault[] }> {
  const over = new AbortController();
  const load = ended.then(({ code }) => {
    over.abort();
    return code;
  });
  const faults = await injectFaults(planned, runtime, { loadBegan, over: over.signal, onFault });
  return { code: await load, faults };
}

function faultMissed(planned: readonly Fault[], done: readonly Fault[]): LabError {
  const missed = planned.filter(
    ({ part, action, atSeconds }) =>
      !done.some((fault) => fault.part === part && fault.action === action && fault.atSeconds === atSeconds),
  );
  const named = missed.map(({ part, action, atSeconds }) => `${action}:${part}@${atSeconds}s`).join(" ");
  return new LabError("COMMAND_FAILED", `The load was over before ${named} could be done.`, {
    remedy: "Take an earlier moment, or a longer load.",
  });
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

/** For progress: seconds that are left of the load. */
export function secondsLeft({ steps }: Pick<PlannedRun, "steps">, elapsed: number): number {
  return Math.max(0, Math.ceil(lengthOf(steps) - elapsed));
}
