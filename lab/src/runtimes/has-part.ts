/** Whether the lab that runs has a part that this machine reaches: profiles and GATEWAYS decide. */

import { LabError } from "../cli/lab-error.ts";
import type { Runtime } from "./runtime.ts";

/** For a lab that runs: of one that is down, a runtime may know no parts at all. */
export function hasPart(runtime: Pick<Runtime, "endpoint">, part: string): boolean {
  try {
    runtime.endpoint(part);
    return true;
  } catch (error) {
    if (error instanceof LabError && error.code === "NO_SUCH_PART") return false;
    throw error;
  }
}
