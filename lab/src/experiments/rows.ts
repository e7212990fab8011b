/** Which runs an experiment's table is made of. */

import { LabError } from "../cli/lab-error.ts";
import type { Experiment, TableRow } from "./experiment.ts";
import { mergeVariants, type Variant } from "./parameters.ts";

export interface NamedVariant {
  readonly name: string;
  readonly variant: Variant;
}

/**
 * All rows with the person's changes over them. One run, without a name, for an experiment that has no rows, and where a change names
 * what tells the rows apart: who asks for 20 workers wants these.
 */
export function rowsOf(experiment: Experiment, variant: Variant): readonly NamedVariant[] {
  const { rows = [] } = experiment;
  if (rows.length === 0 || choosesRow(rows, variant)) return [{ name: "", variant }];
  return rows.map((row) => ({ name: row.name, variant: mergeVariants(variantOf(row), variant) }));
}

/**
 * Two rows can be run in turns and compared with each other; more cannot.
 * @returns the first row, and what is changed over it for the second
 * @throws LabError USAGE for an experiment of more rows, which is repeated row by row
 */
export function rowsInTurns(
  experiment: Experiment,
  variant: Variant,
): readonly [Variant, Variant] | undefined {
  const rows = rowsOf(experiment, variant);
  if (rows.length === 1) return undefined;
  const [first, second] = experiment.rows ?? [];
  if (rows.length === 2 && first && second)
    return [mergeVariants(variantOf(first), variant), variantOf(second)];
  const names = [...new Set((experiment.rows ?? []).flatMap(({ parameters }) => Object.keys(parameters)))];
  throw new LabError(
    "USAGE",
    `${experiment.system}/${experiment.name} has ${rows.length} rows: name the one to repeat.`,
    {
      reason: "Repeats and comparisons are of one row, or of two that are run in turns.",
      remedy: `Set what tells them apart: ${names.join(", ")}. For example --set "${example(experiment)}".`,
    },
  );
}

function variantOf({ parameters, services = {} }: TableRow): Variant {
  return { parameters, services };
}

function choosesRow(rows: readonly TableRow[], { parameters, services }: Variant): boolean {
  return rows.some(
    (row) =>
      Object.keys(row.parameters).some((name) => Object.hasOwn(parameters, name)) ||
      Object.entries(row.services ?? {}).some(([service, variables]) =>
        Object.keys(variables).some((name) => services[service]?.[name] !== undefined),
      ),
  );
}

function example({ rows = [] }: Experiment): string {
  const [name, value] = Object.entries(rows[0]?.parameters ?? {})[0] ?? [];
  return `${name}=${value}`;
}
