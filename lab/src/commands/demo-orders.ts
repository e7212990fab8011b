/** The orders system's step of the demo: one order by the queue, followed to its end, and one paid inside its request. */

import { randomUUIDv7 } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { CliContext } from "../cli/context.ts";
import { LabError } from "../cli/lab-error.ts";
import { type FoundOrder, OrdersApi } from "../experiments/orders/orders-api.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { type OrdersWiring, ordersWiring } from "../systems/orders/order-queue.ts";

const POLL_MS = 100;

interface Stage extends Pick<CliContext, "output" | "signal"> {
  readonly api: OrdersApi;
  readonly url: string;
  readonly wiring: OrdersWiring;
  /** Milliseconds that an order may take, other orders and one redelivery included. */
  readonly patience: number;
}

export async function showOrders(runtime: Runtime, context: CliContext): Promise<void> {
  const { output, signal } = context;
  const url = runtime.endpoint("orders-receiver");
  await using api = new OrdersApi({ receiver: url, payments: runtime.endpoint("orders-payments") });
  const wiring = await ordersWiring(runtime);
  const { PAYMENT_SECONDS: payment = "0" } = await runtime.variables("orders-payments", ["PAYMENT_SECONDS"]);
  const stage = { api, url, wiring, output, signal, patience: (60 + Number(payment) * 2) * 1_000 };
  const queued = await showQueuedOrder(stage);
  const synchronous = await showSynchronousOrder(stage);
  output.line(
    `  The customer waited ${seconds(queued)} for an answer when the order was queued, ${seconds(synchronous)} when it was paid at once.`,
  );
}

/** @returns milliseconds until the customer was answered */
async function showQueuedOrder(stage: Stage): Promise<number> {
  const { api, url, wiring, output } = stage;
  const order = anOrder();
  output.line();
  output.line(output.paint("bold", "One order, from the keyboard to the database"));
  output.line(`  POST ${url}/orders/async`);
  output.line(`       ${JSON.stringify(order)}`);
  const began = performance.now();
  const after = () => seconds(performance.now() - began).padStart(7);
  const accepted = await api.placeOrder(order);
  const answered = performance.now() - began;
  output.line(`  ${after()}  202 accepted: ${storedBy(wiring)}`);
  const completed = await follow(stage, accepted.order_id, (state) => {
    if (state.status === "processing") output.line(`  ${after()}  processing: ${takenBy(wiring)}`);
  });
  const charge = await chargeOf(stage, completed);
  output.line(`  ${after()}  completed: ${money(charge.amount_minor)} charged once, committed to Postgres`);
  output.line(`           charge ${charge.charge_id}`);
  output.line(`  Look it up: curl ${url}/orders/${accepted.order_id}`);
  return answered;
}

/** @returns milliseconds until the customer was answered */
async function showSynchronousOrder(stage: Stage): Promise<number> {
  const { api, url, output, patience } = stage;
  output.line();
  output.line(output.paint("bold", "The same, paid inside the request"));
  output.line(`  POST ${url}/orders/sync`);
  const began = performance.now();
  const completed = await api.placeOrderSync(anOrder(), patience);
  const answered = performance.now() - began;
  const charge = await chargeOf(stage, completed);
  output.line(
    `  ${seconds(answered).padStart(7)}  200 completed: ${money(charge.amount_minor)} charged once, charge ${charge.charge_id}`,
  );
  return answered;
}

/** What has the order in hand when the customer is told that it is accepted. */
function storedBy({ broker }: OrdersWiring): string {
  return broker === "bullmq" ? "Redis has it in its log" : "SNS has acknowledged it";
}

function takenBy({ broker, consumer }: OrdersWiring): string {
  if (consumer === "lambda") return "SNS called the Lambda function, which is paying";
  return `a worker took it from ${broker === "bullmq" ? "BullMQ" : "SQS"} and is paying`;
}

/** Resolves when the order is completed; tells each state once. */
async function follow(
  { api, signal, patience, wiring }: Stage,
  id: string,
  onState: (order: FoundOrder) => void,
): Promise<FoundOrder> {
  const until = performance.now() + patience;
  let told: string | undefined;
  while (performance.now() < until) {
    const order = await api.findOrder(id);
    if (order && order.status !== told) {
      told = order.status;
      onState(order);
      if (order.status === "completed") return order;
    }
    await sleep(POLL_MS, undefined, { signal });
  }
  const taker = wiring.consumer === "lambda" ? "emulator" : "orders-processor";
  throw new LabError("COMMAND_FAILED", `The order ${id} was not completed in time.`, {
    reason: told ? `It is still ${told}.` : "No worker has begun it.",
    remedy: `See \`make logs SERVICE=${taker}\`; other orders may be waiting for the payment provider.`,
  });
}

/** @throws LabError VERDICT_BROKEN when the provider knows of another charge than the order, or of none */
async function chargeOf({ api }: Stage, { order_id, charge_id }: FoundOrder) {
  const charge = await api.findCharge(order_id);
  if (charge && charge.charge_id === charge_id) return charge;
  throw new LabError(
    "VERDICT_BROKEN",
    "The order is completed, but the payment provider knows no such charge.",
    { remedy: "See `make logs`." },
  );
}

function anOrder() {
  return {
    order_id: randomUUIDv7(),
    customer_id: "you",
    items: [{ product_id: "telescope", quantity: 1, price: 349.5 }],
  };
}

function money(minor: number): string {
  return (minor / 100).toFixed(2);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(2)} s`;
}
