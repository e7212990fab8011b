/**
 * The rows of an experiment, one run after another, a bundle each, and one table at the end. A row that fails is told and the next one
 * is run: what is filed stays, and the table says what is missing.
 */

import { relative } from "node:path";
import { LabError, messageOf } from "../cli/lab-error.ts";
import type { Output } from "../cli/output.ts";
import { type Beside, besideNotes, besideTable, markdownTable } from "../experiments/beside.ts";
import type { Experiment } from "../experiments/experiment.ts";
import { describeVariant } from "../experiments/parameters.ts";
import type { NamedVariant } from "../experiments/rows.ts";
import type { RunResult } from "../experiments/run-experiment.ts";
import { printRun } from "./print-run.ts";
import { type RunHereOptions, runHere } from "./run-here.ts";

export interface RowsOptions extends RunHereOptions {
  readonly json?: boolean | undefined;
  readonly markdown?: boolean | undefined;
  /** Told at once of each run that was filed. */
  readonly onResult?: (result: RunResult) => void;
  /** Makes one run; on this machine unless told. */
  readonly run?: typeof runHere;
}

/** @throws LabError once all have been tried, when one failed; at once, with the table of what there is, when interrupted */
export async function runRows(
  experiment: Experiment,
  rows: readonly NamedVariant[],
  options: RowsOptions,
): Promise<RunResult[]> {
  const { context, json, run = runHere } = options;
  const { output, signal } = context;
  const results: RunResult[] = [];
  const failed: { readonly name: string; readonly error: unknown }[] = [];
  for (const [index, { name, variant }] of rows.entries()) {
    if (signal.aborted) break;
    output.begin(`row ${index + 1} of ${rows.length}, ${name}: ${describeVariant(variant)}`);
    try {
      const result = await run(experiment, { ...options, variant });
      results.push(result);
      options.onResult?.(result);
      tellRow(name, result, output);
    } catch (error) {
      failed.push({ name, error });
      if (signal.aborted) break;
      output.warn([`${name}: ${messageOf(error)}`, remedyOf(error)].filter(Boolean).join(" "));
    }
  }
  if (!json) printTable(experiment, results, options);
  const missing = rows.length - results.length;
  if (missing === 0) return results;
  const [first] = failed;
  if (signal.aborted) {
    throw new LabError("INTERRUPTED", `Interrupted: ${missing} of ${rows.length} rows are missing.`, {
      detail: ["What was filed stays."],
      remedy: remedyOf(failed.at(-1)?.error),
      cause: first?.error ?? signal.reason,
    });
  }
  throw new LabError(
    "COMMAND_FAILED",
    `${missing} of ${rows.length} rows failed: ${failed.map(({ name }) => name).join("; ")}.`,
    {
      reason: messageOf(first?.error),
      remedy: "What was filed stays; a row by itself is run with --set, see --help.",
      cause: first?.error,
    },
  );
}

/** What to do about a row that did not come to its end: also what it has left in the queue. */
function remedyOf(error: unknown): string | undefined {
  return error instanceof LabError ? error.remedy : undefined;
}

/** Of one run or of several: what was measured beside what was published. */
export function printBeside(lines: readonly Beside[], output: Output, markdown = false): void {
  if (lines.length === 0) return;
  const table = besideTable(lines);
  output.line();
  if (markdown) for (const line of markdownTable(table)) output.line(line);
  else output.table(table);
  for (const note of besideNotes(lines)) output.line(`  ${note}`);
}

function printTable(
  experiment: Experiment,
  results: readonly RunResult[],
  { context, markdown }: RowsOptions,
): void {
  if (results.length === 0) return;
  const { output } = context;
  output.line();
  output.line(`${experiment.system}/${experiment.name}, ${results.length} rows`);
  printBeside(
    results.flatMap(({ beside }) => beside),
    output,
    markdown,
  );
  for (const { beside, performance, verdict } of results) {
    if (performance.outcome === "valid" && verdict.outcome === "held") continue;
    const rows = [...new Set(beside.map(({ of }) => of))].join(", ");
    const why = [
      `correctness ${verdict.outcome}, performance ${performance.outcome}`,
      ...performance.reasons,
    ];
    output.line(`  ! ${rows}: ${why.join("; ")}: do not use these figures`);
  }
}

function tellRow(name: string, result: RunResult, output: Output): void {
  const { directory, verdict, performance } = result;
  const text = `${name}: correctness ${verdict.outcome}, performance ${performance.outcome}, ${relative(process.cwd(), directory)}`;
  if (verdict.outcome === "held" && performance.outcome === "valid") output.done(text);
  else output.warn([text, ...performance.reasons].join("; "));
  // What is broken has to be seen in full.
  if (verdict.outcome !== "held") printRun(result, output);
  for (const reading of result.readings) output.done(`  ${reading}`);
}
