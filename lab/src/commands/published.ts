/** `lab published`: what was published about the systems, with sources and contradictions. Reads data only. */
import type { Command } from "commander";
import type { CliContext } from "../cli/context.ts";
import { LabError } from "../cli/lab-error.ts";
import type { Output } from "../cli/output.ts";
import {
  type Claim,
  type Contradiction,
  claims,
  contradictions,
  type PublishedFigure,
  type PublishedSystem,
  publishedFigures,
  publishedSystems,
} from "../published/index.ts";

interface PublishedFlags {
  system?: string;
  experiment?: string;
  json?: boolean;
}

interface Published {
  readonly figures: readonly PublishedFigure[];
  readonly claims: readonly Claim[];
  readonly contradictions: readonly Contradiction[];
}

export function registerPublishedCommand(program: Command, { output }: CliContext): void {
  program
    .command("published")
    .description(
      "figures and claims that were published about the systems, and where they contradict themselves",
    )
    .option("--system <name>", `of one system only: ${publishedSystems.join(", ")}`)
    .option("--experiment <name>", "of one experiment only, as worker-scaling")
    .option("--json", "print them as JSON")
    .action((flags: PublishedFlags) => {
      const only = { system: parseSystem(flags.system), experiment: flags.experiment };
      const published: Published = {
        figures: publishedFigures(only),
        claims: claims(only),
        contradictions: contradictions(only),
      };
      if (flags.experiment !== undefined && published.figures.length + published.claims.length === 0) {
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

function print({ figures, claims, contradictions }: Published, output: Output): void {
  for (const system of publishedSystems) {
    const own = <Item extends { system: PublishedSystem }>(items: readonly Item[]) =>
      items.filter((item) => item.system === system);
    if (own(figures).length + own(claims).length === 0) continue;
    output.line(output.paint("bold", system));
    if (own(figures).length > 0) {
      output.table([
        ["  experiment", "environment", "figure", "when", "value", "unit", "source"],
        ...own(figures).map((figure) => [
          `  ${figure.experiment}`,
          figure.environment,
          figure.metric,
          told(figure.conditions),
          typeof figure.value === "number" ? String(figure.value) : figure.value.join(" to "),
          figure.unit,
          figure.source,
        ]),
      ]);
    }
    output.line();
    for (const { id, claim, experiment, testable, source } of own(claims)) {
      output.line(`  ${id} ${claim}`);
      output.line(`      ${experiment}; can be tested: ${testable}; ${source}`);
    }
    for (const { text, source } of own(contradictions)) output.line(`  ! ${text} (${source})`);
    output.line();
  }
}

function told(conditions: PublishedFigure["conditions"]): string {
  return Object.entries(conditions)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
