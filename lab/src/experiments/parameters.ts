/**
 * What a person changes for a run: `rate=50` sets a parameter of the experiment, `orders-processor.NUM_WORKERS=5` a variable
 * of a service. One set of such changes is a variant; two variants of one experiment can be run in turns and compared.
 */

import { LabError } from "../cli/lab-error.ts";
import type { Experiment, Parameter, ParameterValues, ServiceSettings } from "./experiment.ts";

export interface Variant {
  readonly parameters: ParameterValues;
  readonly services: ServiceSettings;
}

/** The experiment as it is. */
export const asItIs: Variant = { parameters: {}, services: {} };

const PARAMETER = /^([a-z][a-z0-9_]*)=(.+)$/;
const VARIABLE = /^([a-z][a-z0-9-]*)\.([A-Z][A-Z0-9_]*)=(.*)$/;

/**
 * Reads changes, separated by spaces or commas.
 * @throws LabError USAGE
 */
export function parseVariant(text: string): Variant {
  const parameters: Record<string, number> = {};
  const services: Record<string, Record<string, string>> = {};
  for (const word of text.split(/[\s,]+/).filter((each) => each !== "")) {
    const variable = VARIABLE.exec(word);
    const parameter = PARAMETER.exec(word);
    if (variable) {
      const [, part = "", name = "", value = ""] = variable;
      services[part] = { ...services[part], [name]: value };
    } else if (parameter && Number.isFinite(Number(parameter[2]))) {
      parameters[parameter[1] as string] = Number(parameter[2]);
    } else {
      const remedy =
        "Write a parameter as rate=50, a service's variable as orders-processor.NUM_WORKERS=5; several are separated by spaces.";
      const wrong = parameter
        ? `${parameter[1]} must be a number, not ${JSON.stringify(parameter[2])}.`
        : `${JSON.stringify(word)} changes nothing that is known.`;
      throw new LabError("USAGE", wrong, { remedy });
    }
  }
  return { parameters, services };
}

/** `later` wins where both change the same. */
export function mergeVariants(earlier: Variant, later: Variant): Variant {
  return {
    parameters: { ...earlier.parameters, ...later.parameters },
    services: mergeServices(earlier.services, later.services),
  };
}

/** Variable by variable; `later` wins. */
export function mergeServices(earlier: ServiceSettings, later: ServiceSettings): ServiceSettings {
  const services: Record<string, Readonly<Record<string, string>>> = { ...earlier };
  for (const [part, variables] of Object.entries(later)) {
    services[part] = { ...services[part], ...variables };
  }
  return services;
}

/**
 * Every parameter's value for a run.
 * @throws LabError USAGE that names the parameter and lists what exists
 */
export function resolveParameters(experiment: Experiment, given: ParameterValues): ParameterValues {
  for (const [name, value] of Object.entries(given)) {
    // Its own alone: "constructor" is a word that every object knows.
    const parameter = Object.hasOwn(experiment.parameters, name) && experiment.parameters[name];
    if (!parameter) throw unknownParameter(experiment, name);
    const wrong = problemWith(parameter, value);
    if (wrong) {
      throw new LabError("USAGE", `The parameter ${name} (${parameter.meaning}) cannot be ${value}.`, {
        reason: wrong,
      });
    }
  }
  const defaults = Object.fromEntries(
    Object.entries(experiment.parameters).map(([name, { value }]) => [name, value]),
  );
  return { ...defaults, ...given };
}

/** What services are given for a run: by the experiment, but to those that the lab lacks, and over that by the variant. */
export function resolveServices(
  experiment: Experiment,
  variant: Variant,
  values: ParameterValues,
  lacking: readonly string[] = [],
): ServiceSettings {
  const there = Object.entries(experiment.services(values)).filter(([part]) => !lacking.includes(part));
  return mergeServices(Object.fromEntries(there), variant.services);
}

/** For people: every change in a line; "as it is" when there is none. */
export function describeVariant({ parameters, services }: Variant): string {
  const changes = [
    ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`),
    ...Object.entries(services).flatMap(([part, variables]) =>
      Object.entries(variables).map(([name, value]) => `${part}.${name}=${value}`),
    ),
  ];
  return changes.join(" ") || "as it is";
}

function problemWith({ least, most, whole }: Parameter, value: number): string | undefined {
  if (!(value >= least && value <= most)) return `It must be from ${least} to ${most}.`;
  return whole && !Number.isInteger(value) ? "It must be a whole number." : undefined;
}

function unknownParameter({ system, name, parameters }: Experiment, given: string): LabError {
  const known = Object.entries(parameters).map(
    ([each, { value, meaning }]) => `${each} (${value} ${meaning})`,
  );
  return new LabError("USAGE", `${system}/${name} has no parameter ${JSON.stringify(given)}.`, {
    remedy: known.length > 0 ? `Take one of: ${known.join(", ")}.` : "It has none at all.",
  });
}
