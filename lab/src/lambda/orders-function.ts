/** The orders processor as a Lambda function: what it is deployed with, and its place behind the topic. */

import { functionTopology } from "@parallax/messaging";
import { bundleFunction } from "./bundle.ts";
import { type AwsAccess, lambdaClient } from "./clients.ts";
import {
  connectFunction,
  type Deployed,
  deployFunction,
  deploymentFailed,
  invokeFunction,
} from "./deploy.ts";

/** As it is published: 512 MB, 10 s. */
export const ORDERS_FUNCTION = { name: "orders-processor", memoryMb: 512, timeoutSeconds: 10 } as const;
export const ORDERS_ENTRY_POINT = "services/orders/src/processor-lambda/main.ts";

export interface OrdersFunctionOptions {
  /** The repository. */
  readonly root: string;
  /** Where Lambda, SNS and SQS answer, from here. */
  readonly access: AwsAccess;
  readonly topic: string;
  readonly queue: string;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
  /** As the function reaches them. The database's holds a password. */
  readonly environment: {
    readonly DATABASE_URL: string;
    readonly PAYMENTS_URL: string;
    readonly LOG_LEVEL: string;
  };
  readonly signal: AbortSignal;
}

/**
 * Deploys the function, tries it out, and makes it the topic's one subscriber. Resolves when the next published order goes to it.
 * Safe to repeat.
 * @throws LabError
 */
export async function deployOrdersFunction(options: OrdersFunctionOptions): Promise<Deployed> {
  const { root, access, environment, signal } = options;
  const { region, endpoint, credentials } = access;
  const code = await bundleFunction(root, ORDERS_ENTRY_POINT);
  const client = lambdaClient(access);
  await using topology = functionTopology({
    ...options,
    region,
    endpoint,
    ...(credentials && { credentials }),
  });
  try {
    const spec = { ...ORDERS_FUNCTION, environment, role: "arn:aws:iam::000000000000:role/orders-processor" };
    const deployed = await deployFunction(client, spec, code, signal);
    const deadLetterQueueArn = await topology.deadLetterQueueArn();
    const topicArn = topicBeside(deployed.arn, options.topic);
    await connectFunction(client, spec.name, { deadLetterQueueArn, topicArn }, signal);
    await invokeFunction(client, spec.name, READINESS_EVENT, signal);
    await topology.subscribe(deployed.arn);
    return deployed;
  } catch (error) {
    throw deploymentFailed(ORDERS_FUNCTION.name, error, signal);
  } finally {
    client.destroy();
  }
}

/** Asks the function whether it reaches its database (processor-lambda/handler.ts); no order is processed. */
const READINESS_EVENT = { check: "ready" };

function topicBeside(functionArn: string, topic: string): string {
  const [, partition, , region, account] = functionArn.split(":");
  return `arn:${partition}:sns:${region}:${account}:${topic}`;
}
