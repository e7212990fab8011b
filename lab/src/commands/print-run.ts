/** A run's result, for people. */

import { relative } from "node:path";
import type { Output } from "../cli/output.ts";
import type { StepFigures } from "../experiments/figures.ts";
import { describeStep } from "../experiments/load-schedule.ts";
import type { RunResult } from "../experiments/run-experiment.ts";
import type { Outcome } from "../verdicts/verdict.ts";

const MARKS = { held: "✓", broken: "✗", undecided: "?" } as const satisfies Record<Outcome, string>;
const COLOURS = { held: "green", broken: "red", undecided: "yellow" } as const satisfies Record<
  Outcome,
  string
>;

export function printRun(result: RunResult, output: Output): void {
  const { verdict, performance, figures, directory } = result;
  output.line();
  output.line(`Correctness: ${output.paint(COLOURS[verdict.outcome], verdict.outcome.toUpperCase())}`);
  for (const { outcome, detail, counts, examples } of verdict.invariants) {
    output.line(`  ${output.paint(COLOURS[outcome], MARKS[outcome])} ${detail} (${told(counts)})`);
    if (examples) output.line(`      for example: ${examples.join(", ")}`);
  }
  for (const { detail, counts } of verdict.observations) output.line(`  · ${detail} (${told(counts)})`);
  const valid = performance.outcome === "valid";
  output.line(`Performance: ${valid ? "valid" : output.paint("red", performance.outcome)}`);
  for (const reason of performance.reasons) output.line(`  ! ${reason}: do not compare these figures`);
  for (const threshold of result.crossedThresholds) {
    output.line(`  ! slower or worse than the script asks for: ${threshold}`);
  }
  printSteps(
    figures.steps.filter(({ step }) => step.kind === "measured"),
    output,
  );
  const share = figures.generator.cpu_share;
  for (const reading of result.readings) output.line(`  → ${reading}`);
  if (share !== null) output.line(`  the load generator took ${Math.round(share * 100)} % of the processors`);
  output.line(`Results: ${relative(process.cwd(), directory)}`);
}

function printSteps(steps: readonly StepFigures[], output: Output): void {
  const hungUp = steps.some(({ timed_out = 0 }) => timed_out > 0);
  const header = [
    "  step",
    "load",
    "model",
    "answers",
    "errors",
    ...(hungUp ? ["timed out"] : []),
    "answered/s",
    "p50 ms",
    "p95",
    "p99",
    "p99.9",
    "max",
  ];
  output.table([header, ...steps.map((step) => stepRow(step, hungUp))]);
  if (steps.some(({ step }) => step.arrivals.model === "closed")) {
    output.line(
      "  closed: its users wait for answers before they go on, so that what the system delays it also hides",
    );
  }
}

function stepRow(figures: StepFigures, hungUp: boolean): string[] {
  const { step, answers, errors, timed_out = 0, answered_rate, latency_ms, performance } = figures;
  const { p50, p95, p99, p999, max } = latency_ms ?? {};
  return [
    `  ${step.name}${performance.outcome === "valid" ? "" : " INVALID"}`,
    describeStep(step),
    step.arrivals.model,
    String(answers),
    String(errors),
    ...(hungUp ? [String(timed_out)] : []),
    answered_rate.toFixed(1),
    ...[p50, p95, p99, p999, max].map((value) => value?.toFixed(value < 100 ? 2 : 0) ?? "–"),
  ];
}

function told(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(
    ([name, value]) => `${name.replaceAll("_", " ")} ${rounded(value)}`,
  );
  return parts.join(", ") || "none";
}

function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
