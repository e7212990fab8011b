/**
 * The variables that services read, as their own configuration says: a name or a value that is wrong is told before anything is
 * started, and not by a service that ends at its start, or, worse, by one that takes no notice.
 */

import { z } from "zod";
import { LabError } from "../cli/lab-error.ts";
import type { ServiceSettings } from "./experiment.ts";

/** Loaded when they are needed: most commands never ask. */
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

/** @throws LabError USAGE that names the service, the variable and what exists, or what is wrong with its value or does not fit */
export async function checkServiceSettings(services: ServiceSettings): Promise<void> {
  for (const [service, given] of Object.entries(services)) {
    const load = Object.hasOwn(variablesOf, service) ? variablesOf[service] : undefined;
    if (!load) {
      throw new LabError("USAGE", `There is no service ${JSON.stringify(service)} to change.`, {
        remedy: `Take one of: ${Object.keys(variablesOf).join(", ")}.`,
      });
    }
    const variables = await load();
    for (const [name, value] of Object.entries(given)) checkVariable(service, variables, name, value);
  }
  checkBrokers(services);
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

function checkVariable(service: string, variables: z.ZodObject, name: string, value: string): void {
  const variable = Object.hasOwn(variables.shape, name) ? variables.shape[name] : undefined;
  if (!variable) {
    throw new LabError("USAGE", `${service} has no variable ${name}.`, {
      remedy: `Take one of: ${Object.keys(variables.shape).join(", ")}.`,
    });
  }
  const parsed = z.safeParse(variable, value);
  if (parsed.success) return;
  throw new LabError("USAGE", `${service}.${name} cannot be ${JSON.stringify(value)}.`, {
    reason: parsed.error.issues.map(({ message }) => `It ${message}.`).join(" "),
  });
}
