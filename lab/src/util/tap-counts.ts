/**
 * Counts tests in tap's raw output. Its outermost points are test files; a test is a point directly inside a file. A file
 * that fails without a failing test inside (it crashed, it timed out) counts as one failed test.
 */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

const point = /^( *)(not )?ok\b(?: \d+)?(.*)$/;

/** @param tap the text that `tap --output-file` writes */
export function countTests(tap: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  let failedInFile = 0;
  // Diagnostics are YAML between these marks and may quote anything, also lines that look like points.
  let diagnostics: string | undefined;
  for (const line of tap.split("\n")) {
    if (diagnostics !== undefined) {
      if (line === `${diagnostics}...`) diagnostics = undefined;
      continue;
    }
    const mark = /^( +)---$/.exec(line);
    if (mark) {
      diagnostics = mark[1];
      continue;
    }
    const [, indent, not, rest = ""] = point.exec(line) ?? [];
    if (indent === undefined) continue;
    const skipped = / # (SKIP|TODO)\b/i.test(rest);
    if (indent.length === 4) {
      if (skipped) counts.skipped += 1;
      else if (not) counts.failed += 1;
      else counts.passed += 1;
      if (not && !skipped) failedInFile += 1;
    } else if (indent.length === 0) {
      if (not && !skipped && failedInFile === 0) counts.failed += 1;
      failedInFile = 0;
    }
  }
  return counts;
}
