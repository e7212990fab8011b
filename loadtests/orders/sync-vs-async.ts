/**
 * The same customers at two doors: in the step `sync` each waits until its order is paid, and hangs up when that takes too long; in
 * every other step orders are queued. What comes late or never is the lesson, so that nothing here calls it a failure of the script.
 *
 * By hand: k6 run -e BASE_URL=http://127.0.0.1:8080 -e RUN_ID=mine loadtests/orders/sync-vs-async.ts
 */

import exec from "k6/execution";
import http from "k6/http";
import type { Options } from "k6/options";
import { record, timed } from "../lib/answers.ts";
import { environment } from "../lib/environment.ts";
import { plannedLoad, scenariosOf, think, timeout } from "../lib/load.ts";
import { answeredId, completedId, makeOrder } from "../lib/orders.ts";

export { setup } from "../lib/load.ts";
export { handleSummary } from "../lib/summary.ts";

const { baseUrl, runId } = environment();
const REQUEST_SECONDS = 30;
const users = (think_seconds: number) => ({ model: "closed", users: 20, think_seconds }) as const;
const steps = plannedLoad([
  { name: "sync", begins: 0, seconds: 60, arrivals: users(0) },
  { name: "async", begins: 90, seconds: 60, arrivals: users(0.34) },
]);

export const options: Options = {
  ...scenariosOf(steps, REQUEST_SECONDS + 1),
  summaryTrendStats: ["min", "med", "avg", "p(95)", "p(99)", "max"],
};

export default function order(): void {
  const { name, iterationInTest } = exec.scenario;
  const body = makeOrder(`${runId}-${name}-${iterationInTest}`, iterationInTest);
  const sync = name === "sync";
  const answer = timed(() =>
    http.post(`${baseUrl}/orders/${sync ? "sync" : "async"}`, JSON.stringify(body), {
      headers: { "content-type": "application/json" },
      timeout: timeout(steps, REQUEST_SECONDS),
    }),
  );
  const { status, body: text } = answer.response;
  const answered_id = status !== (sync ? 200 : 202) ? undefined : sync ? completedId(text) : answeredId(text);
  record(sync ? "place-sync" : "place", body.order_id, answer, { answered_id });
  think(steps);
}
