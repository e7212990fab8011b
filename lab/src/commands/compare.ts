/**
 * `lab compare`: two sets of runs, metric by metric. Reads bundles only; nothing is started. What cannot be compared is named
 * and left out. Whatever the comparison says, the command has done its work: it ends with 0.
 */
import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Command } from "commander";
import type { CliContext } from "../cli/context.ts";
import { LabError } from "../cli/lab-error.ts";
import type { Output } from "../cli/output.ts";
import { compareSets } from "../compare/compare-sets.ts";
import { findSet } from "../compare/find-set.ts";
import { type LoadedRuns, loadRuns } from "../compare/load-runs.ts";
import { DEFAULT_PRIMARY_METRIC } from "../compare/metrics.ts";
import { printComparison } from "../compare/print-comparison.ts";

interface CompareFlags {
  a?: string;
  b?: string;
  set?: string;
  primary?: string;
  json?: boolean;
}

type Side = "A" | "B";

export function registerCompareCommand(program: Command, context: CliContext): void {
  program
    .command("compare")
    .description("compare two sets of runs: ratio, interval, and better, worse or no difference shown")
    .option("--a <paths>", "runs of the one side: a run, or a directory above runs; several with commas")
    .option("--b <paths>", "runs of the other side")
    .option("--set <id>", "both sides of the runs that loadtest made in turns, by the id that it printed")
    .option("--primary <metric>", "the metric that decides, named before looking (that of the experiment)")
    .option("--json", "print the comparison as JSON")
    .action((flags: CompareFlags) => compare(flags, context));
}

async function compare(flags: CompareFlags, { output, root }: CliContext): Promise<void> {
  const paths = await choosePaths(flags, join(root, "results"));
  const [a, b] = [await load("A", paths.A, output), await load("B", paths.B, output)];
  refuseSharedRuns(a, b);
  const comparison = compareSets(a.runs, b.runs, {
    primary: choosePrimary(flags.primary, a, b),
    names: [`A (${named(paths.A)})`, `B (${named(paths.B)})`],
  });
  if (flags.json) output.json({ ...comparison, left_out: { a: a.skipped, b: b.skipped } });
  else printComparison(comparison, output);
}

async function choosePaths({ a, b, set }: CompareFlags, results: string) {
  if (set === undefined) return { A: parsePaths("A", a), B: parsePaths("B", b) };
  if (a !== undefined || b !== undefined) {
    throw new LabError("USAGE", "A set has both sides: --a and --b cannot be named beside it.");
  }
  const found = await findSet(set, results);
  if (found.A.length > 0 && found.B.length > 0) return found;
  throw new LabError("USAGE", `There are no two sides with the set ${JSON.stringify(set)}.`, {
    remedy: "make loadtest REPEAT=5 AGAINST=… prints the id of the runs that it makes in turns.",
  });
}

function parsePaths(side: Side, text = ""): string[] {
  const paths = text
    .split(",")
    .map((path) => path.trim())
    .filter((path) => path !== "");
  if (paths.length > 0) return paths;
  throw new LabError("USAGE", `Nothing is named for ${side}.`, {
    remedy: `Name a run or a directory above runs: make compare A=results/local/orders/smoke/… B=…`,
  });
}

function named([first, ...others]: readonly string[]): string {
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`;
}

async function load(side: Side, paths: readonly string[], output: Output): Promise<LoadedRuns> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) continue;
    throw new LabError("USAGE", `${side}: ${path} is ${found ? "no directory" : "not there"}.`, {
      remedy: "A run is a directory below results/; each command that makes one prints its name.",
    });
  }
  const loaded = await loadRuns(paths);
  if (loaded.runs.length === 0) throw nothingLeft(side, paths, loaded);
  for (const line of leftOut(loaded)) output.warn(`${side} leaves out ${line}`);
  return loaded;
}

function nothingLeft(side: Side, paths: readonly string[], loaded: LoadedRuns): LabError {
  const { skipped } = loaded;
  const where = paths.join(", ");
  if (skipped.length === 0) {
    return new LabError("USAGE", `${side}: there is no run at or below ${where}.`, {
      remedy: "make loadtest SYSTEM=orders EXPERIMENT=smoke REPEAT=5 makes five.",
    });
  }
  return new LabError("COMMAND_FAILED", `${side}: no run of ${where} can be compared.`, {
    reason: `Each of the ${skipped.length} was left out, as told below.`,
    remedy:
      "Run the experiment again; for INVALID figures at a lower rate or with less else on this machine.",
    detail: leftOut(loaded),
  });
}

function leftOut({ skipped }: LoadedRuns): string[] {
  return skipped.map(({ directory, reason }) => `${relative(process.cwd(), directory)}: ${reason}`);
}

/** A run on both sides would make them more alike than they are. A run has one name here, however it was reached. */
function refuseSharedRuns(a: LoadedRuns, b: LoadedRuns): void {
  const ofA = new Set(a.runs.map(({ directory }) => directory));
  const shared = b.runs.find(({ directory }) => ofA.has(directory));
  if (shared === undefined) return;
  throw new LabError("USAGE", `${relative(process.cwd(), shared.directory)} is on both sides.`, {
    reason: "A and B are compared as different runs.",
    remedy: "Name runs that belong to one side only; each side takes several, with commas.",
  });
}

/** What was asked for; else what the runs' experiments say, if they agree. */
function choosePrimary(asked: string | undefined, a: LoadedRuns, b: LoadedRuns): string {
  const has = ({ runs }: LoadedRuns, name: string) => runs.some(({ metrics }) => name in metrics);
  if (asked !== undefined) {
    if (has(a, asked) && has(b, asked)) return asked;
    const names = [...new Set(a.runs.flatMap(({ metrics }) => Object.keys(metrics)))];
    throw new LabError("USAGE", `Not both sides have the metric ${JSON.stringify(asked)}.`, {
      remedy: `Take one of: ${names.filter((name) => has(b, name)).join(", ") || "none is on both sides"}.`,
    });
  }
  const named = new Set([...a.primaryMetrics, ...b.primaryMetrics]);
  const [only] = named;
  return named.size === 1 && only !== undefined ? only : DEFAULT_PRIMARY_METRIC;
}
