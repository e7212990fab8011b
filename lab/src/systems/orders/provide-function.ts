/**
 * CONSUMER=lambda: the function that takes the orders, deployed with what the receiver itself is connected to. The receiver is
 * not ready before that: without a function behind the topic, an accepted order would be lost.
 */

import { z } from "zod";
import { receiverVariables } from "../../../../services/orders/src/receiver/config.ts";
import { deployOrdersFunction } from "../../lambda/orders-function.ts";
import { rootDir } from "../../paths.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import { brokerAccess } from "./order-queue.ts";

const neededSchema = z.object(
  receiverVariables.pick({
    DATABASE_URL: true,
    PAYMENTS_URL: true,
    LOG_LEVEL: true,
    ORDERS_TOPIC: true,
    ORDERS_QUEUE: true,
    VISIBILITY_TIMEOUT_SECONDS: true,
    MAX_RECEIVE_COUNT: true,
  }).shape,
);

/**
 * Safe to repeat: a function that is as it should be is left alone. Resolves when the next order goes to it.
 * @throws LabError
 */
export async function provideFunction(
  runtime: Pick<Runtime, "variables" | "endpoint">,
  signal: AbortSignal,
): Promise<void> {
  const [access, variables] = await Promise.all([
    brokerAccess(runtime),
    runtime.variables("orders-receiver", Object.keys(neededSchema.shape)),
  ]);
  // The settings have refused this.
  if (access.kind !== "sns-sqs") throw new Error("There is no SNS to call a function.");
  const { DATABASE_URL, PAYMENTS_URL, LOG_LEVEL, ...topology } = neededSchema.parse(variables);
  await deployOrdersFunction({
    root: rootDir,
    access,
    topic: topology.ORDERS_TOPIC,
    queue: topology.ORDERS_QUEUE,
    visibilitySeconds: topology.VISIBILITY_TIMEOUT_SECONDS,
    maxReceiveCount: topology.MAX_RECEIVE_COUNT,
    environment: { DATABASE_URL, PAYMENTS_URL, LOG_LEVEL },
    signal,
  });
}
