/** Which runtime `make up` would use, and why. */
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

export function checkRuntime({ runtime, because, status }: Examination): Finding[] {
  const runs = status.state === "stopped" ? "" : `; the lab is ${status.state}`;
  const why = because.replace(/\.$/, "");
  return [{ check: "runtime", state: "ok", found: `make up uses ${runtime} (${why})${runs}` }];
}
