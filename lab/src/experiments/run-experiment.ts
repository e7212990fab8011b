/**
 * The stages of a run: set up, load, settle, verify, file. Whatever happens, services get their own
 * configuration back; an interrupted or failed run leaves its bundle, marked as such.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { LabError, messageOf } from "../cli/lab-error.ts";
import type { LabStatus, Runtime } from "../runtimes/runtime.ts";
import { judgePerformance, type Performance } from "../verdicts/performance.ts";
import type { Verdict } from "../verdicts/verdict.ts";
import { Bundle } from "./bundle.ts";
import type { Experiment, Fault, Observed } from "./experiment.ts";
import { injectFaults } from "./faults.ts";
import {
  AnswerCounter,
  crossedThresholds,
  type K6Files,
  metric,
  readSummary,
  startK6,
  THRESHOLDS_CROSSED,
} from "./k6-run.ts";
import { describeCommit, describeMachine } from "./machine.ts";
import { MetricsCsv, type Row } from "./metrics-csv.ts";
import { startSampler } from "./sampler.ts";

export interface RunOptions {
  readonly experiment: Experiment;
  readonly runtime: Runtime;
  readonly environment: string;
  readonly k6: { readonly path: string; readonly version: string };
  readonly faults: readonly Fault[];
  /** Directory of all bundles. */
  readonly resultsDir: string;
  readonly signal: AbortSignal;
  onStage(text: string): void;
  onRow(row: Row): void;
}

export interface RunResult {
  /** Where the bundle is. */
  readonly directory: string;
  readonly verdict: Verdict;
  readonly performance: Performance;
  readonly figures: Readonly<Record<string, number>>;
}

const FILES = { answers: "answers.jsonl", summary: "k6-summary.json", log: "k6.log" } as const;
/** SQS counts are approximate: an empty queue is believed when it is seen so often in a row. */
const EMPTY_SIGHTINGS = 3;

/** @throws LabError; the bundle's directory is named in it */
export async function runExperiment(options: RunOptions): Promise<RunResult> {
  const { experiment, environment } = options;
  const begun = new Date();
  const bundle = await Bundle.begin(
    options.resultsDir,
    [environment, experiment.system, experiment.name],
    begun,
  );
  const record = { ...(await describeRun(options, begun)), ended: "" };
  try {
    const result = await stages(options, bundle);
    await bundle.writeJson("verdict.json", { correctness: result.verdict, performance: result.performance });
    await bundle.writeJson("run.json", {
      ...record,
      ended: now(),
      state: "finished",
      figures: result.figures,
    });
    return { ...result, directory: await bundle.finish() };
  } catch (error) {
    const state = options.signal.aborted ? "interrupted" : "failed";
    await bundle
      .writeJson("run.json", { ...record, ended: now(), state, error: messageOf(error) })
      .catch(() => {});
    const directory = await bundle.finish().catch(() => bundle.directory);
    throw withDirectory(error, directory, state);
  }
}

async function stages(options: RunOptions, bundle: Bundle): Promise<Omit<RunResult, "directory">> {
  const { experiment, runtime, signal } = options;
  const configured: string[] = [];
  try {
    options.onStage(`setting up ${experiment.system}/${experiment.name}`);
    for (const [service, environment] of Object.entries(experiment.services)) {
      signal.throwIfAborted();
      configured.push(service);
      await runtime.configure(service, { ...environment });
    }
    await using observed = await experiment.observe(runtime);
    return await loadSettleVerify(options, bundle, observed);
  } finally {
    // Also after Ctrl-C: the lab that was there before the run is there after it.
    await undoFaults(options);
    for (const service of configured) {
      await runtime.configure(service, {}).catch((error: unknown) => {
        options.onStage(`${service} did not get its own configuration back: ${messageOf(error)}`);
      });
    }
  }
}

/** An engine that a fault has ended stays so until it is started, what is frozen until it is thawed. */
async function undoFaults({ faults, runtime, onStage }: RunOptions): Promise<void> {
  if (faults.length === 0) return;
  const frozen = new Set<string>();
  for (const { part, action } of faults.toSorted((a, b) => a.atSeconds - b.atSeconds)) {
    if (action === "stop") frozen.add(part);
    else frozen.delete(part);
  }
  const tell = (what: string) => (error: unknown) => onStage(`${what}: ${messageOf(error)}`);
  for (const part of frozen) {
    onStage(`thawing ${part}, which a fault has frozen`);
    await runtime.kill(part, "SIGCONT").catch(tell(`${part} was not thawed`));
  }
  const hit = new Set(faults.map(({ part }) => part));
  const status = await runtime.status().catch(() => undefined);
  for (const { name, kind, state } of status?.parts ?? []) {
    if (kind !== "engine" || state !== "stopped" || !hit.has(name)) continue;
    onStage(`starting ${name} again, which a fault has ended`);
    await runtime.start(name).catch(tell(`${name} did not start`));
  }
}

async function loadSettleVerify(options: RunOptions, bundle: Bundle, observed: Observed) {
  const { experiment, runtime } = options;
  /** Ends what belongs to this run, whether or not the command goes on. */
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const { rate, seconds } = experiment.load;
  const files: K6Files = {
    answers: bundle.path(FILES.answers),
    summary: bundle.path(FILES.summary),
    log: bundle.path(FILES.log),
  };
  options.onStage(`load: ${rate}/s for ${seconds} s`);
  const k6 = await startK6({
    k6: options.k6.path,
    script: experiment.script,
    variables: {
      BASE_URL: runtime.endpoint(experiment.target),
      RUN_ID: `${experiment.name}-${Date.now().toString(36)}`,
      RATE: String(rate),
      SECONDS: String(seconds),
    },
    files,
    signal,
  });
  const csv = new MetricsCsv(bundle.path(`metrics_${experiment.system}.csv`));
  const counter = new AnswerCounter(files.answers);
  const sampler = startSampler({
    runtime,
    observed,
    counter,
    csv,
    generatorPid: k6.pid,
    onRow: options.onRow,
    onLabGone: (status) => over.abort(labGone(status)),
  });
  try {
    const faults = injectFaults(options.faults, runtime, { signal, onFault: options.onStage });
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
    const generatorCpu = sampler.generatorCpu();
    const figures = {
      requests,
      achieved_rate: metric(summary, "iterations", "count") / seconds,
      latency_ms_median: metric(summary, "http_req_duration", "med"),
      latency_ms_p95: metric(summary, "http_req_duration", "p(95)"),
      latency_ms_p99: metric(summary, "http_req_duration", "p(99)"),
      ...(generatorCpu !== undefined && { generator_cpu_share: generatorCpu }),
    };
    const performance = judgePerformance({
      droppedIterations: metric(summary, "dropped_iterations", "count"),
      targetRate: rate,
      achievedRate: figures.achieved_rate,
      generatorCpu,
      crossedThresholds: crossedThresholds(summary),
    });
    return { verdict, performance, figures };
  } finally {
    over.abort();
    await k6.ended;
    await sampler.stop();
    await csv.close();
  }
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

async function describeRun(options: RunOptions, begun: Date) {
  const { experiment, environment, runtime, k6, faults } = options;
  const { observe: _, ...data } = experiment;
  return {
    format: 1,
    begun: begun.toISOString(),
    environment,
    experiment: data,
    faults,
    ...(await describeCommit()),
    ...(await runtime.describe()),
    tools: { node: process.version, k6: k6.version },
    machine: await describeMachine(),
  };
}

function labGone({ failure }: LabStatus): LabError {
  return new LabError("NOT_RUNNING", "The lab stopped in the middle of the run.", {
    reason: failure?.what ?? "Somebody stopped it.",
    remedy: 'See "make status"; "make up" starts it again.',
    detail: failure?.log_tail,
  });
}

function k6Failed(code: number | null, log: string): LabError {
  return new LabError("COMMAND_FAILED", `k6 did not run to its end (exit code ${code}).`, {
    remedy: `Read ${log.replace(/\.unfinished/, "")}.`,
  });
}

function withDirectory(error: unknown, directory: string, state: string): LabError {
  if (state === "interrupted") {
    return new LabError("INTERRUPTED", "The run was interrupted.", {
      reason: `What there is of it: ${directory}`,
      cause: error,
    });
  }
  const known = error instanceof LabError ? error : undefined;
  return new LabError(known?.code ?? "COMMAND_FAILED", `The run failed: ${messageOf(error)}`, {
    reason: known?.reason,
    remedy: [known?.remedy, `What there is of the run: ${directory}`].filter(Boolean).join(" "),
    detail: known?.detail,
    cause: error,
  });
}

function now(): string {
  return new Date().toISOString();
}
