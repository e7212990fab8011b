/** k6, which makes the load, and Go, which can build it. */
import { findK6 } from "../engines/k6.ts";
import { findProgram } from "../util/run-command.ts";
import type { Examination } from "./examination.ts";
import { type Finding, failed } from "./finding.ts";

export async function checkK6({ settings, path }: Examination): Promise<Finding[]> {
  const go = findProgram("go", path);
  const compiler: Finding = {
    check: "go",
    state: "ok",
    found: go ?? "not installed; only needed to build k6, and toxiproxy for the tests",
  };
  try {
    const k6 = await findK6(settings, path);
    if (k6 !== undefined)
      return [{ check: "k6", state: "ok", found: `${k6.version} (${k6.path})` }, compiler];
  } catch (error) {
    return [failed("k6", error), compiler];
  }
  const found =
    go === undefined
      ? "not installed; load tests need it"
      : "not installed; the first load test builds it with Go";
  const fix = go === undefined ? "Install k6 or Go, or set K6." : "Nothing, or install k6 to save the 90 s.";
  return [{ check: "k6", state: "warn", found, fix }, compiler];
}
