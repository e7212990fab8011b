/** Whether a function may still have orders in hand, from what was accepted and what was charged. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { watchFunction } from "../../src/experiments/orders/in-function.ts";

async function aReceiver(t: Test, consumer: string) {
  const counts = { accepted: 7, charges: 3 };
  const server = createServer((_, answer) =>
    answer.end(`orders_accepted_total{service="orders-receiver"} ${counts.accepted}\n`),
  );
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const runtime = { endpoint: () => url, variables: async () => ({ CONSUMER: consumer }) };
  return { counts, runtime, charges: async () => counts.charges };
}

t.test("it is busy until there is a charge for each order that was accepted", async (t) => {
  const { counts, runtime, charges } = await aReceiver(t, "lambda");
  const watched = await watchFunction(runtime, charges);
  t.notOk(await watched.busy(), "what was there before is not counted");
  counts.accepted += 2;
  t.ok(await watched.busy());
  counts.charges += 1;
  t.ok(await watched.busy());
  counts.charges += 1;
  t.notOk(await watched.busy());
});

t.test("an order that has failed is not waited for longer than a function may take", async (t) => {
  const { counts, runtime, charges } = await aReceiver(t, "lambda");
  const watched = await watchFunction(runtime, charges, 50);
  counts.accepted += 1;
  t.ok(await watched.busy());
  await waitFor("the end of the patience", async () => !(await watched.busy()));
});

t.test("with workers nothing is asked: the queue tells all", async (t) => {
  const { counts, runtime, charges } = await aReceiver(t, "workers");
  const watched = await watchFunction(runtime, charges);
  counts.accepted += 1;
  t.notOk(await watched.busy());
});
