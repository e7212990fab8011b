/**
 * The way to the queue that the orders services use, for whoever stands beside them: observer, `queue-depth`, `redrive`. What
 * broker that is, and how it is reached, is asked of the running receiver, so that it is true also for a lab whose settings
 * have changed since, and while an experiment has switched brokers.
 */

import { bullmqOperator, functionOperator, type QueueOperator, sqsOperator } from "@parallax/messaging";
import { z } from "zod";
import { LabError } from "../../cli/lab-error.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import type { BrokerName, ConsumerName } from "../../settings.ts";
import { lacksSystem } from "../lacks-system.ts";

/** How to reach the broker from this machine. Holds credentials: not for display. */
export type BrokerAccess =
  | {
      readonly kind: "sns-sqs";
      readonly region: string;
      /** Undefined for AWS itself. */
      readonly endpoint: string | undefined;
      /** Undefined where the SDK finds some by itself. */
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
      readonly queue: string;
      /** Where a function takes the orders, the topic that dead letters go back to: no consumer is behind the queue. */
      readonly functionTopic?: string;
    }
  | { readonly kind: "bullmq"; readonly url: string; readonly queue: string };

type BesideServices = Pick<Runtime, "variables" | "endpoint">;

/** The part that publishes. */
const PUBLISHER = "orders-receiver";

/**
 * The broker that the services use now.
 * @throws LabError NOT_RUNNING, or NO_SUCH_PART in a lab without orders
 */
export async function brokerAccess(runtime: BesideServices): Promise<BrokerAccess> {
  const env = await publisherEnvironment(runtime);
  const queue = env.ORDERS_QUEUE;
  // Services may know an engine by another address than this machine does.
  if (env.BROKER === "bullmq") return { kind: "bullmq", url: runtime.endpoint("redis"), queue };
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  return {
    kind: "sns-sqs",
    region: env.AWS_REGION,
    endpoint: env.AWS_ENDPOINT_URL === undefined ? undefined : runtime.endpoint("emulator"),
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    queue,
    ...(env.CONSUMER === "lambda" && { functionTopic: env.ORDERS_TOPIC }),
  };
}

export interface OrdersWiring {
  readonly broker: BrokerName;
  readonly consumer: ConsumerName;
}

/**
 * Which broker and which consumer the services use now.
 * @throws LabError NOT_RUNNING, or NO_SUCH_PART in a lab without orders
 */
export async function ordersWiring(runtime: BesideServices): Promise<OrdersWiring> {
  const { BROKER: broker, CONSUMER: consumer } = await publisherEnvironment(runtime);
  return { broker, consumer };
}

/** Makes nothing; its calls reject while the broker or the queue is not there. */
export function openQueue(access: BrokerAccess): QueueOperator {
  if (access.kind === "bullmq") return bullmqOperator({ url: access.url, queue: access.queue });
  const { region, endpoint, credentials, queue, functionTopic: topic } = access;
  const options = { region, endpoint, queue, ...(credentials && { credentials }) };
  return topic === undefined ? sqsOperator(options) : functionOperator({ ...options, topic });
}

/** For people. */
export function brokerTitle(broker: BrokerName): string {
  return broker === "bullmq" ? "BullMQ on Redis" : "SNS and SQS";
}

/** The receiver's own variables, with its own defaults, and how it signs its requests. */
async function publisherEnvironment(runtime: BesideServices) {
  // Loaded when it is needed: most commands never ask.
  const { brokerVariables, consumerVariables } = await import(
    "../../../../services/orders/src/adapters/broker-environment.ts"
  );
  const schema = z.object({
    ...brokerVariables,
    ...consumerVariables,
    AWS_ACCESS_KEY_ID: z.string().optional(),
    AWS_SECRET_ACCESS_KEY: z.string().optional(),
  });
  return schema.parse(await ofPublisher(runtime, Object.keys(schema.shape)));
}

async function ofPublisher(runtime: BesideServices, names: readonly string[]) {
  try {
    return await runtime.variables(PUBLISHER, names);
  } catch (cause) {
    if (!(cause instanceof LabError && cause.code === "NO_SUCH_PART")) throw cause;
    throw lacksSystem("orders", cause);
  }
}
