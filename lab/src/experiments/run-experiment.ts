/**
 * The stages of a run: set up, warm up, load, settle, verify, file. Whatever happens, services get their own configuration
 * back; an interrupted or failed run leaves its bundle, marked as such.
 */

import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { hasCode, LabError, messageOf } from "../cli/lab-error.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { type Backlog, noteLeft, tellLeft, waitUntilEmpty } from "./backlog.ts";
import { type Beside, withoutCompany } from "./beside.ts";
import { Bundle, FORMAT } from "./bundle.ts";
import { type ConductedLoad, conductLoad, FILES } from "./conduct-load.ts";
import type { Experiment, Fault } from "./experiment.ts";
import { LeftByFaults } from "./faults.ts";
import { describeCommit, describeMachine } from "./machine.ts";
import { metricsFile, type Row } from "./metrics-csv.ts";
import type { Variant } from "./parameters.ts";
import { type PlannedRun, planRunOn } from "./plan-run.ts";
import { diskFull } from "./trouble.ts";

export interface RunOptions {
  readonly experiment: Experiment;
  /** What is changed for this run; nothing unless told. */
  readonly variant?: Variant;
  /** Where this run belongs among several that are made in turns. */
  readonly set?: RunSet;
  readonly runtime: Runtime;
  readonly environment: string;
  readonly k6: { readonly path: string; readonly version: string };
  /** Beside those of the experiment itself. */
  readonly faults: readonly Fault[];
  /** Directory of all bundles. */
  readonly resultsDir: string;
  readonly signal: AbortSignal;
  onStage(text: string): void;
  onRow(row: Row): void;
}

export interface RunSet {
  readonly id: string;
  readonly side: "A" | "B";
  /** 1 and up. */
  readonly round: number;
}

export interface RunResult extends ConductedLoad {
  /** What the experiment reads from the figures; none for most. */
  readonly readings: readonly string[];
  /** What the experiment sets beside published figures; nothing for most. */
  readonly beside: readonly Beside[];
  /** Where the bundle is. */
  readonly directory: string;
}

const LOG_LINES = 500;

/** @throws LabError; the bundle's directory is named in it */
export async function runExperiment(options: RunOptions): Promise<RunResult> {
  const { experiment, environment } = options;
  options.signal.throwIfAborted();
  const plan = await planRunOn(options.runtime, experiment, options);
  await experiment.assertUsable?.(options.runtime);
  const begun = new Date();
  const bundle = await Bundle.begin(
    options.resultsDir,
    [environment, experiment.system, experiment.name],
    begun,
  ).catch((error: unknown) => {
    throw explained(error, options.resultsDir);
  });
  let record: object = { format: FORMAT, begun: begun.toISOString() };
  const backlog: Backlog = { left: undefined };
  let finished: RunResult;
  try {
    record = { ...record, ...(await describeRun(options, plan)) };
    const result = await stages(options, plan, bundle, backlog);
    options.signal.throwIfAborted();
    options.onStage("filing the results");
    if (result.verdict.outcome !== "held") await keepLogs(options.runtime, bundle);
    await bundle.compress(FILES.answers);
    await bundle.writeJson("verdict.json", {
      correctness: result.verdict,
      performance: result.performance,
      crossed_thresholds: result.crossedThresholds,
    });
    const readings = experiment.readings?.(result.figures, plan.parameters) ?? [];
    const lines = experiment.beside?.(result.figures, plan.parameters, plan.services) ?? [];
    // Those of the experiment itself belong to what it compares.
    const beside = withoutCompany(lines, options.faults);
    await bundle.writeJson("run.json", {
      ...record,
      ended: now(),
      state: "finished",
      faults_done: result.faults,
      figures: result.figures,
      readings,
      beside,
    });
    finished = { ...result, readings, beside, directory: await bundle.finish() };
    await publishMetrics(options, finished.directory);
  } catch (error) {
    const left = tellLeft(backlog, experiment);
    throw await fileFailure(bundle, record, options, explained(error, bundle.directory), left);
  }
  if (options.signal.aborted) throw interruptedAfter(finished.directory, options.signal.reason);
  return finished;
}

async function stages(
  options: RunOptions,
  plan: PlannedRun,
  bundle: Bundle,
  backlog: Backlog,
): Promise<ConductedLoad> {
  const { experiment, runtime, signal } = options;
  const configured: string[] = [];
  const faults = new LeftByFaults(plan.faults, runtime, options.onStage);
  try {
    options.onStage(`setting up ${experiment.system}/${experiment.name}`);
    for (const [service, environment] of Object.entries(plan.services)) {
      signal.throwIfAborted();
      configured.push(service);
      await runtime.configure(service, { ...environment });
    }
    const wasEmpty = await emptied(options, plan, backlog);
    // Only now: what it notes as there before the load must not grow by an earlier run's work.
    await using observed = await experiment.observe(runtime, { ...plan, tell: options.onStage });
    return await noteLeft(observed, backlog, () =>
      conductLoad(options, plan, bundle, { observed, wasEmpty, faults }),
    );
  } finally {
    // Also after Ctrl-C: the lab that was there before the run is there after it.
    await faults.undo();
    for (const service of configured) {
      await runtime.configure(service, {}).catch((error: unknown) => {
        options.onStage(`${service} did not get its own configuration back: ${messageOf(error)}`);
      });
    }
  }
}

/** Resolves to whether nothing of an earlier run is on its way any more. */
async function emptied(options: RunOptions, plan: PlannedRun, backlog: Backlog): Promise<boolean> {
  const { experiment, runtime, onStage: tell } = options;
  await using observed = await experiment.observe(runtime, { ...plan, tell });
  return await noteLeft(observed, backlog, () => waitUntilEmpty(options, plan, observed));
}

/**
 * The metrics once more where the published collection of figures keeps its own, `results/<environment>/metrics_*.csv`. A copy: the
 * bundle is sealed. That there is no room for it takes nothing from the run.
 */
async function publishMetrics(
  { experiment, environment, resultsDir, onStage }: RunOptions,
  directory: string,
) {
  const { system, name } = experiment;
  const file = join(resultsDir, environment, `metrics_${system}_${name}_${basename(directory)}.csv`);
  await copyFile(join(directory, metricsFile(system)), file).catch((error: unknown) => {
    onStage(`${file} could not be written: ${messageOf(error)}`);
  });
}

/** Files what there is of a run that did not come to its end. Resolves to the error that says so. */
async function fileFailure(
  bundle: Bundle,
  record: object,
  { runtime, signal }: RunOptions,
  error: unknown,
  left: string | undefined,
): Promise<LabError> {
  const state = signal.aborted ? "interrupted" : "failed";
  if (state === "failed") await keepLogs(runtime, bundle);
  // Only now: what is held back is for the words that say what this is, and for its seal.
  await bundle.releaseReserve().catch(() => {});
  // The run may have said that it finished when its bundle could not be sealed.
  await bundle.discard("run.json").catch(() => {});
  await bundle
    .writeJson("run.json", { ...record, ended: now(), state, error: messageOf(error) })
    .catch(() => {});
  const directory = await bundle.finish().catch(() => bundle.directory);
  return withDirectory(error, directory, state, left);
}

/** The ends of the parts' logs, for runs that went wrong. A log that cannot be had is no reason to fail. */
async function keepLogs(runtime: Runtime, bundle: Bundle): Promise<void> {
  try {
    const lines = new Map<string, string[]>();
    const signal = AbortSignal.timeout(10_000);
    for await (const { part, line } of runtime.logs({ parts: [], follow: false, tail: LOG_LINES, signal })) {
      const of = lines.get(part) ?? [];
      of.push(line);
      lines.set(part, of);
    }
    await mkdir(bundle.path("logs"), { recursive: true });
    for (const [part, of] of lines) await writeFile(bundle.path(`logs/${part}.log`), `${of.join("\n")}\n`);
  } catch {
    // The error that is being told matters more, and needs the room.
    await rm(bundle.path("logs"), { recursive: true, force: true }).catch(() => {});
  }
}

async function describeRun(options: RunOptions, plan: PlannedRun) {
  const { experiment, environment, runtime, k6, set } = options;
  const { system, name, script } = experiment;
  return {
    environment,
    experiment: {
      system,
      name,
      script,
      primary_metric: plan.primaryMetric,
      parameters: plan.parameters,
      services: plan.services,
      load: plan.steps,
      samples: experiment.samples,
      expected_statuses: experiment.expectedStatuses ?? {},
    },
    set: set ?? null,
    faults: plan.faults,
    ...(await describeCommit()),
    ...(await runtime.describe()),
    tools: { node: process.version, k6: k6.version },
    machine: await describeMachine(),
  };
}

function explained(error: unknown, directory: string): unknown {
  return hasCode(error, "ENOSPC") ? diskFull(directory, "A file could not be written.", error) : error;
}

/** Ctrl-C while the results were being filed: they are whole, and the command ends all the same. */
function interruptedAfter(directory: string, cause: unknown): LabError {
  return new LabError("INTERRUPTED", "Interrupted when the run had just ended.", {
    detail: [`Its results are whole: ${directory}`],
    cause,
  });
}

function withDirectory(error: unknown, directory: string, state: string, left: string | undefined): LabError {
  if (state === "interrupted") {
    return new LabError("INTERRUPTED", "The run was interrupted.", {
      detail: [`What there is of it: ${directory}`],
      remedy: left,
      cause: error,
    });
  }
  const known = error instanceof LabError ? error : undefined;
  return new LabError(known?.code ?? "COMMAND_FAILED", `The run failed: ${messageOf(error)}`, {
    reason: known?.reason,
    remedy: [known?.remedy, left, `What there is of the run: ${directory}`].filter(Boolean).join(" "),
    detail: known?.detail,
    cause: error,
  });
}

function now(): string {
  return new Date().toISOString();
}
