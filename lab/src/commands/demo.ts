/** `lab demo`: the lab's main job from the keyboard: up, one order shown all the way, a short load, its verdict. */

import { randomUUIDv7 } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { CliContext, SettingOptions } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { LabError } from "../cli/lab-error.ts";
import { choose } from "../experiments/catalogue.ts";
import { type FoundOrder, OrdersApi } from "../experiments/orders/orders-api.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { printRun } from "./print-run.ts";
import { runHere } from "./run-here.ts";
import { type RunningLab, withLab } from "./with-lab.ts";

const POLL_MS = 100;

export function registerDemoCommand(program: Command, context: CliContext): void {
  program
    .command("demo")
    .description("start the lab, follow one order from the keyboard to the database, then a short load test")
    .option("--profile <names>", "systems to show, separated by commas (PROFILE)")
    .option("--runtime <name>", "what to run the lab on (RUNTIME)")
    .action((flags: SettingOptions) => withLab(context, flags, (lab) => demo(lab, context)));
}

async function demo(lab: RunningLab, context: CliContext): Promise<void> {
  const { output } = context;
  await showOneOrder(lab.runtime, context, lab.settings.orders.paymentSeconds);
  let held = true;
  for (const experiment of choose({})) {
    output.line();
    output.line(output.paint("bold", `A short load test: ${experiment.summary}`));
    const result = await runHere(experiment, { context, ...lab, faults: [] });
    printRun(result, output);
    held &&= result.verdict.outcome === "held";
  }
  output.line();
  output.line("The lab goes on running. Next: make status · make logs · make loadtest · make down");
  if (!held) context.exitWith(exitCodes.verdict);
}

async function showOneOrder(runtime: Runtime, context: CliContext, paymentSeconds: number): Promise<void> {
  const { output, signal } = context;
  const url = runtime.endpoint("orders-receiver");
  await using api = new OrdersApi({ receiver: url, payments: runtime.endpoint("orders-payments") });
  const order = {
    order_id: randomUUIDv7(),
    customer_id: "you",
    items: [{ product_id: "telescope", quantity: 1, price: 349.5 }],
  };
  output.line();
  output.line(output.paint("bold", "One order, from the keyboard to the database"));
  output.line(`  POST ${url}/orders/async`);
  output.line(`       ${JSON.stringify(order)}`);
  const began = performance.now();
  const after = () => `${((performance.now() - began) / 1000).toFixed(2).padStart(5)} s`;
  const accepted = await api.placeOrder(order);
  output.line(`  ${after()}  202 accepted: SNS has acknowledged it`);
  const completed = await follow(api, accepted.order_id, signal, paymentSeconds, (state) => {
    if (state.status === "processing")
      output.line(`  ${after()}  processing: a worker took it from SQS and is paying`);
  });
  const charge = await api.findCharge(accepted.order_id);
  if (!charge || charge.charge_id !== completed.charge_id) {
    throw new LabError(
      "VERDICT_BROKEN",
      "The order is completed, but the payment provider knows no such charge.",
      {
        remedy: "See `make logs`.",
      },
    );
  }
  output.line(`  ${after()}  completed: ${money(charge.amount_minor)} charged once, committed to Postgres`);
  output.line(`           charge ${charge.charge_id}`);
  output.line(`  Look it up: curl ${url}/orders/${accepted.order_id}`);
}

/** Resolves when the order is completed; tells each state once. */
async function follow(
  api: OrdersApi,
  id: string,
  signal: AbortSignal,
  paymentSeconds: number,
  onState: (order: FoundOrder) => void,
): Promise<FoundOrder> {
  // A redelivery may lie between: visibility timeout, twice, plus the payments themselves.
  const until = performance.now() + (60 + paymentSeconds * 2) * 1000;
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
  throw new LabError("COMMAND_FAILED", `The order ${id} was not completed in time.`, {
    reason: told ? `It is still ${told}.` : "No worker has begun it.",
    remedy: "See `make logs SERVICE=orders-processor`; other orders may be waiting for the payment provider.",
  });
}

function money(minor: number): string {
  return (minor / 100).toFixed(2);
}
