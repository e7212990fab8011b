/** Whether a function may still have orders in hand, from what was accepted and what was charged. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMetrics } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { watchFunction } from "../../src/experiments/orders/in-function.ts";

async function aReceiver(t: Test, consumer: string) {
  const counts = { accepted: 7, charges: 3, started: 1_700_000_000 };
  const state = { counts, metrics: () => metricsOf(counts) };
  const server = createServer((_, answer) => answer.end(state.metrics()));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const runtime = { endpoint: () => url, variables: async () => ({ CONSUMER: consumer }) };
  return { state, counts, runtime, charges: async () => counts.charges };
}

function metricsOf({ accepted, started }: { accepted: number; started: number }): string {
  return [
    `process_start_time_seconds{service="orders-receiver"} ${started}`,
    "# HELP orders_accepted_total Orders that were answered 202.",
    `orders_accepted_total{service="orders-receiver"} ${accepted}`,
    "",
  ].join("\n");
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

t.test("a receiver that is restarted counts from 0: it is busy until all has been quiet", async (t) => {
  // Its count falls in the one case; in the other it has grown beyond what it was.
  for (const accepted of [2, 20]) {
    const { counts, runtime, charges } = await aReceiver(t, "lambda");
    const watched = await watchFunction(runtime, charges, 500);
    counts.accepted += 5;
    t.ok(await watched.busy());
    Object.assign(counts, { accepted, started: counts.started + 60 });
    counts.charges += 6;
    t.ok(await watched.busy(), `${accepted} of the new one, and five of the old one at least`);
    counts.charges += 100;
    t.ok(await watched.busy(), "however many charges there are, some may be missing");
    await waitFor("all to be quiet", async () => !(await watched.busy()));
  }
});

t.test("a count that falls is a restart, whatever the clock says", async (t) => {
  const { counts, runtime, charges } = await aReceiver(t, "lambda");
  const watched = await watchFunction(runtime, charges);
  counts.accepted = 0;
  t.ok(await watched.busy());
});

t.test("a metric that is not told is not 0", async (t) => {
  const { state, runtime, charges } = await aReceiver(t, "lambda");
  const watched = await watchFunction(runtime, charges);
  for (const lacking of ["orders_accepted_total", "process_start_time_seconds"]) {
    state.metrics = () => metricsOf(state.counts).replaceAll(lacking, "another");
    await t.rejects(watched.busy(), { code: "COMMAND_FAILED", reason: `does not tell ${lacking}` });
    await t.rejects(watchFunction(runtime, charges), { code: "COMMAND_FAILED" });
  }
});

t.test("what a service really tells is understood, also before its first order", async (t) => {
  const { state, counts, runtime, charges } = await aReceiver(t, "lambda");
  const metrics = createMetrics("orders-receiver");
  const accepted = metrics.counter("orders_accepted_total", "Orders that were answered 202.");
  let text = await metrics.registry.metrics();
  state.metrics = () => text;
  const watched = await watchFunction(runtime, charges);
  t.notOk(await watched.busy());
  accepted.inc();
  text = await metrics.registry.metrics();
  t.ok(await watched.busy());
  counts.charges += 1;
  t.notOk(await watched.busy());
});

t.test("with workers nothing is asked: the queue tells all", async (t) => {
  const { counts, runtime, charges } = await aReceiver(t, "workers");
  const watched = await watchFunction(runtime, charges);
  counts.accepted += 1;
  t.notOk(await watched.busy());
});
