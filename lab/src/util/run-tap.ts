/**
 * Runs tap over test files and says what came out, for the commands that test. Their last line is `N passed, N failed`
 * (with `, N skipped` when there are any), and their exit code is 1 when one failed or none ran.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { CliContext } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { countTests, type TestCounts } from "./tap-counts.ts";
import { type Failure, readFailures } from "./tap-failures.ts";
import { runTool } from "./tools.ts";

/** Of one failure's diagnostics: a whole difference of two objects, a part of two pages. */
const detailLines = 40;

export interface TapRun {
  /** Of tap itself. */
  code: number;
  counts: TestCounts;
  failures: Failure[];
  /** tap's own output of this run. */
  record: string;
}

export interface TapOptions {
  /** Test files or directories; all that the configuration includes when there are none. */
  files: readonly string[];
  /** Path of the file to keep tap's own output in. */
  record: string;
  /** Path of a configuration to use in place of `.taprc`. */
  configuration?: string;
  /** Added to this process' environment. */
  environment?: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

export async function runTap(options: TapOptions): Promise<TapRun> {
  const { files, record, configuration, signal } = options;
  mkdirSync(dirname(record), { recursive: true });
  rmSync(record, { force: true });
  const reporter = process.stdout.isTTY ? "terse" : "silent";
  const flags = ["run", "--disable-coverage", `--reporter=${reporter}`, `--output-file=${record}`];
  const environment = {
    ...options.environment,
    ...(configuration === undefined ? {} : { TAP_RCFILE: configuration }),
  };
  const code = await runTool("tap", "tap", [...flags, ...files], signal, environment);
  const tap = readOrNothing(record);
  return { code, counts: countTests(tap), failures: readFailures(tap), record };
}

/**
 * Shows what failed, prints the closing line and sets the exit code. What failed is named once more, a line each, where it
 * is read first: at the end. `others` are checks that ran beside tap.
 */
export function concludeTests(
  { output, exitWith }: Pick<CliContext, "output" | "exitWith">,
  run: TapRun,
  others: readonly boolean[] = [],
): void {
  const counts = { ...run.counts };
  for (const held of others) {
    if (held) counts.passed += 1;
    else counts.failed += 1;
  }
  // tap may fail for something that is no test, such as a broken configuration.
  if (run.code !== 0 && counts.failed === 0) counts.failed += 1;
  const ran = run.counts.passed + run.counts.failed > 0;
  for (const { path, detail } of run.failures) {
    output.warn(`Failed: ${path.join(" › ")}`);
    // On a terminal tap's reporter has shown it. Elsewhere reporters write control codes, or nothing.
    if (process.stdout.isTTY) continue;
    for (const line of detail.slice(0, detailLines)) output.line(`    ${line}`);
  }
  if (run.failures.length > 0) output.warn(`All of it is in ${run.record}`);
  if (!ran) output.warn("No test ran.");
  // On a terminal tap's reporter leaves the cursor in the middle of a line.
  output.line();
  for (const { path } of run.failures) output.line(`✗ ${path.join(" › ")}`);
  output.line(summary(counts));
  if (counts.failed > 0 || !ran) exitWith(exitCodes.failed);
}

/** The closing line. */
export function summary({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
