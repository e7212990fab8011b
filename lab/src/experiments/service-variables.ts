/**
 * The variables that services read, as their own configuration says: a name or a value that is wrong is told before anything is
 * started, and not by a service that ends at its start, or, worse, by one that takes no notice.
 */

import { z } from "zod";
import { LabError } from "../cli/lab-error.ts";
import { assignedVariables } from "./assigned-variables.ts";
import type { ServiceSettings } from "./experiment.ts";

/** Which services there are to change; all, as far as nothing is said. */
export interface Changeable {
  /** Those of these systems: of the experiments that are run. */
  readonly systems?: readonly string[];
  /** Those that the lab runs. */
  readonly parts?: readonly string[];
}

/** Loaded when they are needed: most commands never ask. A service's name begins with that of its system. */
const variablesOf: Readonly<Record<string, () => Promise<z.ZodObject>>> = {
  "orders-receiver": async () =>
    (await import("../../../services/orders/src/receiver/config.ts")).receiverVariables,
  "orders-payments": async () =>
    (await import("../../../services/orders/src/payments/config.ts")).paymentsVariables,
  "orders-processor": async () =>
    (await import("../../../services/orders/src/processor/config.ts")).processorVariables,
  "bidding-gateway-1": gateway,
  "bidding-gateway-2": gateway,
  "bidding-broadcaster": async () =>
    (await import("../../../services/bidding/src/broadcaster/config.ts")).broadcasterVariables,
  "bidding-archiver": async () =>
    (await import("../../../services/bidding/src/archiver/config.ts")).archiverVariables,
};

async function gateway(): Promise<z.ZodObject> {
  return (await import("../../../services/bidding/src/gateway/config.ts")).gatewayVariables;
}

/**
 * @throws LabError USAGE that names the service, the variable and what may be changed, or what is wrong with its value or does not
 * fit
 */
export async function checkServiceSettings(
  services: ServiceSettings,
  changeable: Changeable = {},
): Promise<void> {
  for (const [service, given] of Object.entries(services)) {
    const load = Object.hasOwn(variablesOf, service) ? variablesOf[service] : undefined;
    if (!load || !isChangeable(service, changeable)) throw notThere(service, changeable);
    const variables = await load();
    const assigned = assignedVariables(service);
    for (const [name, value] of Object.entries(given)) {
      checkVariable({ service, variables, assigned }, name, value);
    }
  }
  checkBrokers(services);
}

function isChangeable(service: string, { systems, parts }: Changeable): boolean {
  return (systems?.includes(systemOf(service)) ?? true) && (parts?.includes(service) ?? true);
}

function systemOf(service: string): string {
  return service.slice(0, service.indexOf("-"));
}

function notThere(service: string, changeable: Changeable): LabError {
  const { systems } = changeable;
  const names = Object.keys(variablesOf).filter((name) => isChangeable(name, changeable));
  const remedy = names.length > 0 ? `Take one of: ${names.join(", ")}.` : undefined;
  if (!Object.hasOwn(variablesOf, service)) {
    return new LabError("USAGE", `There is no service ${JSON.stringify(service)} to change.`, { remedy });
  }
  const system = systemOf(service);
  if (systems && !systems.includes(system)) {
    const named = `${service} is changed in a run with SYSTEM=${system}.`;
    return new LabError("USAGE", `${service} is no service of ${systems.join(" or ")}.`, {
      remedy: [remedy, named].filter(Boolean).join(" "),
    });
  }
  return new LabError("USAGE", `The lab runs without ${service}.`, { remedy });
}

/** Orders that one broker takes and another one hands out would wait for ever. */
function checkBrokers(services: ServiceSettings): void {
  const [receiver, processor] = BROKER_PARTS.map((part) => services[part]?.BROKER);
  if (receiver === processor) return;
  const named = receiver ?? processor;
  throw new LabError("USAGE", `${BROKER_PARTS.join(" and ")} need the same BROKER.`, {
    reason: `Given are ${receiver ?? "none"} and ${processor ?? "none"}: what one publishes the other would not receive.`,
    remedy: `Set both, as ${BROKER_PARTS.map((part) => `${part}.BROKER=${named}`).join(" ")}.`,
  });
}

const BROKER_PARTS = ["orders-receiver", "orders-processor"] as const;

interface Known {
  readonly service: string;
  readonly variables: z.ZodObject;
  readonly assigned: ReturnType<typeof assignedVariables>;
}

function checkVariable({ service, variables, assigned }: Known, name: string, value: string): void {
  const variable = Object.hasOwn(variables.shape, name) ? variables.shape[name] : undefined;
  if (!variable || assigned.has(name)) {
    const names = Object.keys(variables.shape).filter((each) => !assigned.has(each));
    const remedy = `Take one of: ${names.join(", ")}.`;
    if (!variable) throw new LabError("USAGE", `${service} has no variable ${name}.`, { remedy });
    const setting = assigned.get(name);
    throw new LabError("USAGE", `${service}.${name} is not for a run to change: the lab assigns it.`, {
      reason: "The other parts, and the lab itself, go by its value.",
      remedy: setting ? `Set ${setting} in .env, then run "make down" and "make up".` : remedy,
    });
  }
  const parsed = z.safeParse(variable, value);
  if (parsed.success) return;
  throw new LabError("USAGE", `${service}.${name} cannot be ${JSON.stringify(value)}.`, {
    reason: parsed.error.issues.map(({ message }) => `It ${message}.`).join(" "),
  });
}
