/** What a lab must have for an experiment, told before anything is done to it. */

import { LabError } from "../../cli/lab-error.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import { ordersWiring } from "../../systems/orders/order-queue.ts";

/** @throws LabError USAGE in a lab whose orders go to a function */
export async function needsWorkers(runtime: Runtime): Promise<void> {
  if ((await ordersWiring(runtime)).consumer === "workers") return;
  throw new LabError("USAGE", "This experiment needs a lab whose orders go to workers.", {
    reason: "The lab that runs has CONSUMER=lambda: there is no processor that it could configure.",
    remedy: 'Run "make down", then "make up", and this command without CONSUMER.',
  });
}

/** For an experiment that only needs the orders to be processed, by whomever: with a function there is no processor to configure. */
export async function lacksProcessor(runtime: Runtime): Promise<readonly string[]> {
  return (await ordersWiring(runtime)).consumer === "lambda" ? ["orders-processor"] : [];
}

/** @throws LabError USAGE in a lab whose orders go to workers */
export async function needsFunction(runtime: Runtime): Promise<void> {
  if ((await ordersWiring(runtime)).consumer === "lambda") return;
  throw new LabError("USAGE", "This experiment needs a lab whose orders go to a Lambda function.", {
    reason: "The lab that runs has CONSUMER=workers: there is no function that it could measure.",
    remedy:
      'Run "make down", then "make up CONSUMER=lambda EMULATOR=ministack", and this command with the same two variables.',
  });
}

/** @throws LabError USAGE in a lab that can only use one of the two brokers */
export async function needsBothBrokers(runtime: Runtime): Promise<void> {
  await needsWorkers(runtime);
  const { parts } = await runtime.status();
  const missing = ["emulator", "redis"].filter((name) => !parts.some((part) => part.name === name));
  if (missing.length === 0) return;
  throw new LabError("USAGE", "This experiment needs a lab with both brokers.", {
    reason: `The lab that runs has no ${missing.join(" and no ")}: it was started with BROKER=bullmq.`,
    remedy: 'Run "make down", then "make up", and this command without BROKER.',
  });
}
