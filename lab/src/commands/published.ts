/** `lab published`: what was published about the systems, with sources and contradictions. Reads data only. */
import { relative } from "node:path";
import type { Command } from "commander";
import type { CliContext } from "../cli/context.ts";
import { LabError } from "../cli/lab-error.ts";
import type { Output } from "../cli/output.ts";
import { experiments } from "../experiments/catalogue.ts";
import { rootDir } from "../paths.ts";
import {
  type Claim,
  type Contradiction,
  claims,
  contradictions,
  type PublishedFigure,
  type PublishedSystem,
  publishedDir,
  publishedFigures,
  publishedSystems,
} from "../published/index.ts";

interface PublishedFlags {
  system?: string;
  experiment?: string;
  contradictions: boolean;
  json?: boolean;
}

/** What no experiment under load replays, and what does instead. */
const testedBy: Readonly<Record<string, string>> = {
  "orders/faults": "the tests in test/faults",
};

/** With whether the experiment is one that this version can run. */
type Testable<Item> = Item & {
  readonly in_this_version: boolean;
  /** What replays it, where that is no experiment under load. */
  readonly tested_by?: string;
};

interface Published {
  readonly figures: readonly Testable<PublishedFigure>[];
  readonly claims: readonly Testable<Claim>[];
  /** Undefined where they are not asked for. */
  readonly contradictions: readonly Contradiction[] | undefined;
}

export function registerPublishedCommand(program: Command, { output }: CliContext): void {
  program
    .command("published")
    .description(
      "figures and claims that were published about the systems, and where they contradict themselves",
    )
    .option("--system <name>", `of one system only: ${publishedSystems.join(", ")}`)
    .option("--experiment <name>", "of one experiment only, as worker-scaling")
    .option("--no-contradictions", "leave out where they contradict themselves, to be found by the reader")
    .option("--json", "print them as JSON")
    .action((flags: PublishedFlags) => {
      const only = { system: parseSystem(flags.system), experiment: flags.experiment };
      const figures = publishedFigures(only).map(testable);
      const claimed = claims(only).map(testable);
      const shown = new Set([...figures, ...claimed].map(({ system }) => system));
      const published: Published = {
        figures,
        claims: claimed,
        contradictions: flags.contradictions
          ? contradictions(only).filter(({ system }) => shown.has(system))
          : undefined,
      };
      if (flags.experiment !== undefined && shown.size === 0) {
        throw noSuchExperiment(flags.experiment, only.system);
      }
      if (flags.json) output.json(published);
      else print(published, output);
    });
}

function parseSystem(name: string | undefined): PublishedSystem | undefined {
  const system = publishedSystems.find((known) => known === name);
  if (name === undefined || system !== undefined) return system;
  throw new LabError("USAGE", `--system ${name}: nothing was published about a system of that name.`, {
    remedy: `Name one of: ${publishedSystems.join(", ")}.`,
  });
}

function noSuchExperiment(name: string, system: PublishedSystem | undefined): LabError {
  const known = [...new Set(claims({ system }).map(({ experiment }) => experiment))].sort();
  return new LabError("USAGE", `--experiment ${name}: nothing was published about it.`, {
    remedy: `Name one of: ${known.join(", ")}.`,
  });
}

function testable<Item extends { readonly system: string; readonly experiment: string }>(
  item: Item,
): Testable<Item> {
  const { system, experiment } = item;
  const there = experiments.some((each) => each.system === system && each.name === experiment);
  const tests = testedBy[`${system}/${experiment}`];
  return { ...item, in_this_version: there || tests !== undefined, ...(tests && { tested_by: tests }) };
}

function print({ figures, claims, contradictions }: Published, output: Output): void {
  for (const system of publishedSystems) {
    const of = <Item extends { system: PublishedSystem }>(items: readonly Item[]) =>
      items.filter((item) => item.system === system);
    const own = { figures: of(figures), claims: of(claims), contradictions: of(contradictions ?? []) };
    if (own.figures.length + own.claims.length === 0) continue;
    output.line(output.paint("bold", system));
    if (own.contradictions.length > 0) output.line("  Where it contradicts itself:");
    for (const { text, source } of own.contradictions) output.line(`  ! ${text} (${source})`);
    if (own.figures.length > 0) {
      if (own.contradictions.length > 0) output.line();
      printFigures(own.figures, output);
    }
    output.line();
    for (const { id, claim, experiment, testable, source, in_this_version, tested_by } of own.claims) {
      const where = tested_by ? `: ${tested_by}` : in_this_version ? "" : " (not in this version)";
      output.line(`  ${id} ${claim}`);
      output.line(`      ${experiment}${where}; can be tested: ${testable}; ${source}`);
    }
    output.line();
  }
  output.line(
    "Sources are file names in the collection of published studies that the figures were taken from. " +
      `The collection is not part of this repository; what was taken is in ${relative(rootDir, publishedDir)}.`,
  );
}

function printFigures(figures: readonly Testable<PublishedFigure>[], output: Output): void {
  output.table([
    ["  experiment", "environment", "figure", "when", "value", "unit", "source"],
    ...figures.map((figure) => [
      `  ${figure.experiment}${figure.in_this_version ? "" : " *"}`,
      figure.environment,
      figure.metric,
      told(figure.conditions),
      typeof figure.value === "number" ? String(figure.value) : figure.value.join(" to "),
      figure.unit,
      figure.source,
    ]),
  ]);
  if (figures.some(({ in_this_version }) => !in_this_version)) {
    output.line("  * an experiment that is not in this version");
  }
}

function told(conditions: PublishedFigure["conditions"]): string {
  return Object.entries(conditions)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
