/**
 * How many orders a second the receiver accepts on SNS when requests that come in together share a publish, beside one
 * publish each: at 20 users, as in the published study, and at 100. The emulator is in a process of its own. A lone customer's
 * latency is compared as well: sharing must not cost it anything.
 */

import autocannon from "autocannon";
import { interleave, spread } from "./lib/ratio.ts";
import { type ServerProcess, startServer } from "./lib/server.ts";

const ROUNDS = 7;
const SECONDS = 3;
const body = JSON.stringify({
  customer_id: "customer-1",
  items: [
    { product_id: "product-1", quantity: 2, price: 19.99 },
    { product_id: "shipping", quantity: 1, price: 4.5 },
  ],
});

async function load({ url }: ServerProcess, connections: number) {
  const result = await autocannon({
    url: `${url}/orders/async`,
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    connections,
    duration: SECONDS,
  });
  if (result.non2xx + result.errors > 0)
    throw new Error(`Not every answer was good: ${result.non2xx} bad, ${result.errors} errors`);
  return result;
}

await using emulator = await startServer("servers/emulator.ts");
await using together = await startServer("servers/receiver-sns.ts", [emulator.url, "together"]);
await using each = await startServer("servers/receiver-sns.ts", [emulator.url, "each"]);

const accepted = async (server: ServerProcess, connections: number) => {
  const result = await load(server, connections);
  return result["2xx"] / result.duration;
};
for (const server of [together, each]) await load(server, 100);
for (const connections of [20, 100]) {
  const { a, b, ratios } = await interleave(
    ROUNDS,
    () => accepted(together, connections),
    () => accepted(each, connections),
  );
  console.log(`${connections} users, together: ${spread(a, 0)} orders/s`);
  console.log(`${connections} users, each:     ${spread(b, 0)} orders/s`);
  console.log(`${connections} users, ratio:    ${spread(ratios)}`);
}
const lone = async (server: ServerProcess) => (await load(server, 1)).latency.mean;
const { a, b, ratios } = await interleave(
  ROUNDS,
  () => lone(together),
  () => lone(each),
);
console.log(`one user, together: mean ${spread(a)} ms; each: ${spread(b)} ms; ratio ${spread(ratios)}`);
console.log(`(${ROUNDS} interleaved pairs of ${SECONDS} s)`);
