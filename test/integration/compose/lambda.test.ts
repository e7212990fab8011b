/** A lab with CONSUMER=lambda: the function is there when `up` says so, and gone for workers when they are asked for. */

import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { OrdersApi } from "../../../lab/src/experiments/orders/orders-api.ts";
import { rootDir } from "../../../lab/src/paths.ts";
import { ComposeRuntime } from "../../../lab/src/runtimes/compose/compose-runtime.ts";
import { environmentWithDotEnv, settingsFromEnv } from "../../../lab/src/settings.ts";
import { ordersWiring } from "../../../lab/src/systems/orders/order-queue.ts";
import { anOrder } from "../../lib/faults/witness.ts";
import { ownComposeLab } from "../../lib/own-compose-lab.ts";

t.setTimeout(400_000);

const lambda = {
  CONSUMER: "lambda",
  EMULATOR: "ministack",
  PAYMENT_SECONDS: "0.2",
  PAYMENT_CONCURRENCY: "0",
};
const { runtime, environment, up } = await ownComposeLab(t, lambda);
const api = () =>
  new OrdersApi({
    receiver: runtime.endpoint("orders-receiver"),
    payments: runtime.endpoint("orders-payments"),
  });

async function oneOrderIsPaid(): Promise<number> {
  await using orders = api();
  const id = randomUUID();
  await orders.placeOrder(anOrder(id));
  await waitFor("the order", async () => (await orders.findOrder(id))?.status === "completed", 60_000);
  return (await orders.ledgerSummary()).charges;
}

t.test("the first order goes to the function, no processor runs", async (t) => {
  const events = await up(AbortSignal.timeout(240_000));
  t.match(events.map(({ text }) => text).join("\n"), /Deploying the Lambda function/);
  const { state, parts } = await runtime.status();
  t.equal(state, "running");
  t.notOk(parts.some(({ name }) => name === "orders-processor"));
  t.match(await ordersWiring(runtime), { consumer: "lambda" });
  t.equal(await oneOrderIsPaid(), 1);
});

t.test("the same lab with workers, and with the function again: each order is paid once", async (t) => {
  for (const [consumer, charges] of [
    ["workers", 2],
    ["lambda", 3],
  ] as const) {
    const settings = settingsFromEnv(
      { ...environmentWithDotEnv(rootDir, process.env), ...environment, CONSUMER: consumer },
      rootDir,
    );
    const changed = new ComposeRuntime(settings);
    await changed.up({
      profiles: settings.profiles,
      signal: AbortSignal.timeout(240_000),
      onEvent: () => {},
    });
    const { parts } = await changed.status();
    t.equal(
      parts.some(({ name }) => name === "orders-processor"),
      consumer === "workers",
    );
    t.match(await ordersWiring(changed), { consumer });
    t.equal(await oneOrderIsPaid(), charges);
  }
});
