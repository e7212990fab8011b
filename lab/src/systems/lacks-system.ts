/** What is said where a command needs a system that the lab which runs was started without. */
import { LabError } from "../cli/lab-error.ts";

export function lacksSystem(system: string, cause?: unknown): LabError {
  return new LabError("NO_SUCH_PART", `The lab runs without ${system}.`, {
    remedy: `Run "make down", then "make up PROFILE=${system}" (or "PROFILE=all").`,
    cause,
  });
}
