/** What a lab must have for the experiments of bidding, and which of its parts it may lack. */

import { LabError } from "../../cli/lab-error.ts";
import { hasPart } from "../../runtimes/has-part.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import type { ServiceSettings } from "../experiment.ts";

/** A lab with GATEWAYS=1 has the first alone. */
const GATEWAYS = ["bidding-gateway-1", "bidding-gateway-2"] as const;

/** The same variables for each gateway. */
export function forGateways(variables: Readonly<Record<string, string>>): ServiceSettings {
  return Object.fromEntries(GATEWAYS.map((part) => [part, variables]));
}

/** @throws LabError USAGE in a lab without bidding */
export async function needsBidding(runtime: Pick<Runtime, "endpoint">): Promise<void> {
  if (hasPart(runtime, "bidding-broadcaster")) return;
  throw new LabError("USAGE", "This experiment needs a lab with bidding.", {
    reason: "The lab that runs was started without the profile bidding.",
    remedy: 'Run "make down", then "make up PROFILE=bidding" (or "PROFILE=all"), and this command again.',
  });
}

export async function lacksGateways(runtime: Pick<Runtime, "endpoint">): Promise<readonly string[]> {
  // Behind a load balancer gateways have no port of their own on this machine.
  return hasPart(runtime, "bidding-balancer") ? [] : GATEWAYS.slice(1);
}
