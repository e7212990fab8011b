/**
 * How many orders a second the receiver accepts, as a ratio to a bare koa-router that reads the same body and
 * sends the same answer. Goal: at least 0.5.
 */

import autocannon from "autocannon";
import { interleave, median, spread } from "./lib/ratio.ts";
import { startServer } from "./lib/server.ts";

const ROUNDS = 7;
const SECONDS = 3;
const CONNECTIONS = 100;
const GOAL = 0.5;

const body = JSON.stringify({
  order_id: "bench-1",
  customer_id: "customer-1",
  items: [
    { product_id: "product-1", quantity: 2, price: 19.99 },
    { product_id: "shipping", quantity: 1, price: 4.5 },
  ],
});

/** Answers a second, all of them 202. */
async function load(url: string): Promise<number> {
  const result = await autocannon({
    url: `${url}/orders/async`,
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    connections: CONNECTIONS,
    duration: SECONDS,
  });
  const others = Object.entries(result.statusCodeStats ?? {}).filter(([status]) => status !== "202");
  if (others.length > 0 || result.errors > 0) {
    throw new Error(
      `Not every answer was 202: ${JSON.stringify(result.statusCodeStats)}, ${result.errors} errors`,
    );
  }
  return result["2xx"] / result.duration;
}

await using receiver = await startServer("servers/receiver.ts");
await using bare = await startServer("servers/bare-koa-router.ts");
await load(receiver.url);
await load(bare.url);
const { a, b, ratios } = await interleave(
  ROUNDS,
  () => load(receiver.url),
  () => load(bare.url),
);
console.log(`receiver:        ${spread(a, 0)} orders/s`);
console.log(`bare koa-router: ${spread(b, 0)} requests/s`);
console.log(`ratio:           ${spread(ratios)}  (goal: at least ${GOAL}; ${ROUNDS} interleaved pairs)`);
process.exitCode = median(ratios) >= GOAL ? 0 : 1;
