/**
 * Smoke: a short open load of queued orders, small enough for any machine. It shows that the pipeline works
 * under load; it does not show how fast it is.
 *
 * RATE orders a second (20) for SECONDS (10).
 */

import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import type { Options } from "k6/options";
import { record } from "../lib/answers.ts";
import { environment, number } from "../lib/environment.ts";
import { makeOrder } from "../lib/orders.ts";
import { openArrivals } from "../lib/profiles.ts";

export { handleSummary } from "../lib/summary.ts";

const { baseUrl, runId } = environment();
const REQUEST_SECONDS = 10;

export const options: Options = {
  scenarios: { orders: openArrivals(number("RATE", 20), number("SECONDS", 10), REQUEST_SECONDS) },
  thresholds: {
    checks: ["rate==1"],
    dropped_iterations: ["count==0"],
    http_req_duration: ["p(99)<2000"],
  },
  summaryTrendStats: ["min", "med", "avg", "p(95)", "p(99)", "max"],
};

export default function smoke(): void {
  const iteration = exec.scenario.iterationInTest;
  const order = makeOrder(`${runId}-${iteration}`, iteration);
  const response = http.post(`${baseUrl}/orders/async`, JSON.stringify(order), {
    headers: { "content-type": "application/json" },
    timeout: `${REQUEST_SECONDS}s`,
  });
  const accepted = response.status === 202 ? response.json("order_id") : undefined;
  record(order.order_id, response, typeof accepted === "string" ? accepted : undefined);
  check(response, { "accepted under its own id": () => accepted === order.order_id });
}
