/** A run's result, for people. */

import { relative } from "node:path";
import type { Output } from "../cli/output.ts";
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
  output.line(`Performance: ${performance.outcome}`);
  for (const reason of performance.reasons) output.line(`  ! ${reason}: do not compare these figures`);
  output.line(`  ${told(figures)}`);
  output.line(`Results: ${relative(process.cwd(), directory)}`);
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
