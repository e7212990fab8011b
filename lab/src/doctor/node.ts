/** Node, which runs the lab and its services, and npm, which installs their packages. */
import { findProgram } from "../util/run-command.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

export function checkNode({ path }: Examination): Finding[] {
  const npm = findProgram("npm", path);
  const among = process.execPath.includes("node_modules") ? "among the npm packages" : "installed";
  return [
    { check: "node", state: "ok", found: `${process.versions.node}, ${among} (${process.execPath})` },
    npm === undefined
      ? {
          check: "npm",
          state: "warn",
          found: "not on PATH",
          fix: "It is needed when packages change; install Node with npm.",
        }
      : { check: "npm", state: "ok", found: npm },
  ];
}
