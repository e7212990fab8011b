/**
 * `lab test`: every test that needs no Docker engine, with the type check beside them as one more. The last line is
 * `N passed, N failed` (with `, N skipped` when there are any), and the exit code is 1 when one failed or none ran.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { type CliContext, loadSettings } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { messageOf } from "../cli/lab-error.ts";
import { findOrBuildK6 } from "../engines/k6.ts";
import { rootDir } from "../paths.ts";
import { countTests, type TestCounts } from "../util/tap-counts.ts";
import { runTool } from "../util/tools.ts";
import { showEvent } from "./up.ts";

export function registerTestCommand(program: Command, context: CliContext): void {
  program
    .command("test")
    .description("run every test that needs no Docker engine")
    .argument("[files...]", "test files or directories; all when left out")
    .action(async (files: string[]) => {
      const { output, signal } = context;
      await prepareK6(context);
      output.begin("Running the tests, and checking the types beside them");
      const types = runTool("typescript", "tsc", ["--noEmit"], signal);
      const tests = await runTests(files, signal);
      const typesHold = (await types) === 0;
      signal.throwIfAborted();
      const counts = { ...tests.counts };
      if (typesHold) counts.passed += 1;
      else counts.failed += 1;
      // tap may fail for something that is no test, such as a broken configuration.
      if (tests.code !== 0 && counts.failed === 0) counts.failed += 1;
      const ran = tests.counts.passed + tests.counts.failed > 0;
      for (const name of tests.failures) output.warn(`Failed: ${name}`);
      if (tests.failures.length > 0) output.warn(`All of it is in ${record}`);
      if (!typesHold) output.warn("The types do not hold: see the errors of tsc above.");
      if (!ran) output.warn("No test ran.");
      // tap's reporter leaves the cursor in the middle of a line.
      output.line();
      output.line(summary(counts));
      if (counts.failed > 0 || !ran) context.exitWith(exitCodes.failed);
    });
}

/** The closing line. */
export function summary({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** One test puts load on the pipeline. Building k6 takes longer than a test may; without k6 that test fails and says so. */
async function prepareK6(context: CliContext): Promise<void> {
  const { output, signal } = context;
  try {
    const settings = loadSettings(context);
    await findOrBuildK6({ settings, signal, onEvent: (event) => showEvent(output, event) });
  } catch (error) {
    signal.throwIfAborted();
    output.warn(messageOf(error));
  }
}

/** tap's own output of the last run; its reporters show failures on a terminal only. */
const record = join(rootDir, ".lab", "test.tap");

async function runTests(
  files: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number; counts: TestCounts; failures: string[] }> {
  mkdirSync(dirname(record), { recursive: true });
  rmSync(record, { force: true });
  const options = ["run", "--disable-coverage", "--reporter=terse", `--output-file=${record}`];
  const code = await runTool("tap", "tap", [...options, ...files], signal);
  const tap = readOrNothing(record);
  const failures = [...tap.matchAll(/^ *not ok \d+ - (.*?)(?: # time=.*)?$/gm)].map(([, name = ""]) => name);
  return { code, counts: countTests(tap), failures };
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
