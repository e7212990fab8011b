/**
 * Requests to a service of known speed, each sent its own id and asked for it back. Used by `lab calibrate`, which asks what
 * comparisons on this machine are worth.
 *
 * By hand: k6 run -e BASE_URL=http://127.0.0.1:8080 -e RUN_ID=mine loadtests/calibration/echo.ts
 */

import exec from "k6/execution";
import http from "k6/http";
import type { Options } from "k6/options";
import { record, timed } from "../lib/answers.ts";
import { environment } from "../lib/environment.ts";
import { plannedLoad, scenariosOf } from "../lib/load.ts";

export { setup } from "../lib/load.ts";
export { handleSummary } from "../lib/summary.ts";

const { baseUrl, runId } = environment();
/** Short, because it decides how many virtual users are made, and they take longer to make than such a run lasts. */
const REQUEST_SECONDS = 2;
const steps = plannedLoad([{ name: "load", begins: 0, seconds: 2, arrivals: { model: "open", rate: 100 } }]);

export const options: Options = { ...scenariosOf(steps, REQUEST_SECONDS) };

export default function echo(): void {
  const { name, iterationInTest } = exec.scenario;
  const id = `${runId}-${name}-${iterationInTest}`;
  const answer = timed(() => http.post(`${baseUrl}/echo`, id, { timeout: `${REQUEST_SECONDS}s` }));
  const { body } = answer.response;
  record("echo", id, answer, { answered_id: typeof body === "string" ? body : undefined });
}
