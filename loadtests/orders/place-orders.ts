/**
 * Queued orders, placed by customers who each send one. Used by every experiment that asks what the receiver accepts and what
 * becomes of it: smoke, rate-sweep, coordinated-omission, worker-scaling, latency, brokers,
 * lambda-vs-workers.
 *
 * By hand: k6 run -e BASE_URL=http://127.0.0.1:8080 -e RUN_ID=mine loadtests/orders/place-orders.ts
 */

import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import type { Options } from "k6/options";
import { record, timed } from "../lib/answers.ts";
import { environment } from "../lib/environment.ts";
import { plannedLoad, scenariosOf, think, timeout } from "../lib/load.ts";
import { answeredId, makeOrder } from "../lib/orders.ts";

export { setup } from "../lib/load.ts";
export { handleSummary } from "../lib/summary.ts";

const { baseUrl, runId } = environment();
const REQUEST_SECONDS = 10;
const steps = plannedLoad([{ name: "load", begins: 0, seconds: 10, arrivals: { model: "open", rate: 20 } }]);
// A second more than a request may take, so that the last ones can still tell of their time-out.
const { scenarios = {}, thresholds = {} } = scenariosOf(steps, REQUEST_SECONDS + 1);

export const options: Options = {
  scenarios,
  thresholds: { ...thresholds, checks: ["rate==1"], http_req_duration: ["p(99)<2000"] },
  // Latencies are taken from the answers; k6's own are for a glance.
  summaryTrendStats: ["min", "med", "avg", "p(95)", "p(99)", "max"],
};

export default function placeOrder(): void {
  const { name, iterationInTest } = exec.scenario;
  const order = makeOrder(`${runId}-${name}-${iterationInTest}`, iterationInTest);
  const answer = timed(() =>
    http.post(`${baseUrl}/orders/async`, JSON.stringify(order), {
      headers: { "content-type": "application/json" },
      timeout: timeout(steps, REQUEST_SECONDS),
    }),
  );
  const { response } = answer;
  const accepted = response.status === 202 ? answeredId(response.body) : undefined;
  record("place", order.order_id, answer, { answered_id: accepted });
  check(response, { "accepted under its own id": () => accepted === order.order_id });
  think(steps);
}
