/**
 * Variables of services that follow from an experiment's parameters. A table tells its rows apart by the parameters, and models take
 * their figures from them: a variable that was set past its parameter would be measured under another name.
 */

import { LabError } from "../cli/lab-error.ts";
import type { Experiment, ParameterValues, ServiceSettings } from "./experiment.ts";

/** @throws LabError USAGE that names the parameter to set instead; only for an experiment that has a table */
export function refuseDerived(experiment: Experiment, values: ParameterValues, given: ServiceSettings): void {
  if (!experiment.beside) return;
  for (const [service, variables] of Object.entries(given)) {
    for (const [name, value] of Object.entries(variables)) {
      const by = parametersOf(experiment, values, service, name);
      if (by.length > 0) throw derived(experiment, { service, name, value }, by, values);
    }
  }
}

interface Given {
  readonly service: string;
  readonly name: string;
  readonly value: string;
}

/** Those which change the variable when they are changed. */
function parametersOf(
  { parameters, services }: Experiment,
  values: ParameterValues,
  service: string,
  variable: string,
): string[] {
  const at = (changed: ParameterValues) => services({ ...values, ...changed })[service]?.[variable];
  const now = at({});
  return Object.entries(parameters).flatMap(([name, { least, most, value }]) =>
    [least, most, value].some((other) => at({ [name]: other }) !== now) ? [name] : [],
  );
}

function derived(
  { system, name, services }: Experiment,
  given: Given,
  by: readonly string[],
  values: ParameterValues,
): LabError {
  const wanted = Number(given.value);
  // The parameter's value that would have given it, where that is the same number.
  const same = by.find(
    (each) => services({ ...values, [each]: wanted })[given.service]?.[given.name] === given.value,
  );
  return new LabError(
    "USAGE",
    `In ${system}/${name}, ${given.service}.${given.name} follows from ${by.join(" and ")}.`,
    {
      reason: "Set past it, the table would call the run what it is not, and so would the model.",
      remedy: `Set ${same === undefined ? by.join(" or ") : `${same}=${given.value}`} instead.`,
    },
  );
}
