/** The environment variables of the parts that publish or consume, and the broker that they name. */

import { type Broker, connectSnsSqs } from "@parallax/messaging";
import { fields } from "@parallax/service";
import { z } from "zod";

export const brokerVariables = {
  BROKER: z.enum(["sns-sqs"]).default("sns-sqs"),
  AWS_REGION: z.string().default("us-west-2"),
  AWS_ENDPOINT_URL: fields.url(["http", "https"]).optional(),
  ORDERS_TOPIC: z.string().default("order-processing-events"),
  ORDERS_QUEUE: z.string().default("order-processing-queue"),
  VISIBILITY_TIMEOUT_SECONDS: fields.integer({ min: 1, max: 43_200 }).default(30),
  RECEIVE_WAIT_SECONDS: fields.integer({ min: 0, max: 20 }).default(20),
  MAX_RECEIVE_COUNT: fields.integer({ min: 1, max: 1000 }).default(5),
};

export type BrokerVariables = z.output<z.ZodObject<typeof brokerVariables>>;

export function connectBroker(env: BrokerVariables): Broker {
  return connectSnsSqs({
    region: env.AWS_REGION,
    endpoint: env.AWS_ENDPOINT_URL,
    topic: env.ORDERS_TOPIC,
    queue: env.ORDERS_QUEUE,
    visibilitySeconds: env.VISIBILITY_TIMEOUT_SECONDS,
    waitSeconds: env.RECEIVE_WAIT_SECONDS,
    maxReceiveCount: env.MAX_RECEIVE_COUNT,
  });
}
