/** The environment variables of the parts that publish or consume, and the broker that they name. */

import { type Broker, connectBullmq, connectSnsSqs } from "@parallax/messaging";
import { ConfigError, fields, type Tracing } from "@parallax/service";
import { z } from "zod";
import { tracedBroker } from "./tracing/traced-broker.ts";

export const brokerVariables = {
  BROKER: z.enum(["sns-sqs", "bullmq"]).default("sns-sqs"),
  AWS_REGION: z.string().default("us-west-2"),
  AWS_ENDPOINT_URL: fields.url(["http", "https"]).optional(),
  REDIS_URL: fields.url(["redis", "rediss"]).optional(),
  ORDERS_TOPIC: z.string().default("order-processing-events"),
  ORDERS_QUEUE: z.string().default("order-processing-queue"),
  VISIBILITY_TIMEOUT_SECONDS: fields.integer({ min: 1, max: 43_200 }).default(30),
  RECEIVE_WAIT_SECONDS: fields.integer({ min: 0, max: 20 }).default(20),
  MAX_RECEIVE_COUNT: fields.integer({ min: 1, max: 1000 }).default(5),
};

const NEEDS_REDIS = "must be set with BROKER=bullmq";
const NEEDS_SNS = "lambda needs BROKER=sns-sqs: it is SNS that calls the function";

/** Of the part that makes the topology: who subscribes to the topic. */
export const consumerVariables = {
  CONSUMER: z.enum(["workers", "lambda"]).default("workers"),
};

/** The same schema, which also refuses what does not fit together; told with all else that is wrong. */
export function withBrokerChecked<S extends z.ZodObject<typeof brokerVariables>>(schema: S): S {
  return schema
    .refine(({ BROKER, REDIS_URL }) => BROKER !== "bullmq" || REDIS_URL !== undefined, {
      path: ["REDIS_URL"],
      message: NEEDS_REDIS,
      when: () => true,
    })
    .refine(
      // Of a part that does not make the topology, nobody asks who consumes.
      ({ BROKER, CONSUMER }: BrokerVariables & Partial<ConsumerVariables>) =>
        BROKER !== "bullmq" || CONSUMER !== "lambda",
      { path: ["CONSUMER"], message: NEEDS_SNS, when: () => true },
    );
}

export type BrokerVariables = z.output<z.ZodObject<typeof brokerVariables>>;
type ConsumerVariables = z.output<z.ZodObject<typeof consumerVariables>>;

/**
 * @param env with who consumes, of a part that publishes
 * @throws ConfigError of a schema that is not `withBrokerChecked`
 */
export function connectBroker(
  env: BrokerVariables & Partial<ConsumerVariables>,
  tracing?: Tracing | undefined,
): Broker {
  const broker = connect(env);
  if (!tracing) return broker;
  const { ORDERS_TOPIC: topic, ORDERS_QUEUE: queue } = env;
  const [publishes, consumes] =
    env.BROKER === "bullmq"
      ? [
          { system: "bullmq", name: queue },
          { system: "bullmq", name: queue },
        ]
      : [
          { system: "aws.sns", name: topic },
          { system: "aws_sqs", name: queue },
        ];
  return tracedBroker(broker, { tracing, publishes, consumes });
}

function connect(env: BrokerVariables & Partial<ConsumerVariables>): Broker {
  if (env.BROKER === "bullmq") {
    if (env.REDIS_URL === undefined) throw new ConfigError([`REDIS_URL: ${NEEDS_REDIS}`]);
    return connectBullmq({
      url: env.REDIS_URL,
      queue: env.ORDERS_QUEUE,
      visibilitySeconds: env.VISIBILITY_TIMEOUT_SECONDS,
      maxReceiveCount: env.MAX_RECEIVE_COUNT,
    });
  }
  return connectSnsSqs({
    region: env.AWS_REGION,
    endpoint: env.AWS_ENDPOINT_URL,
    topic: env.ORDERS_TOPIC,
    queue: env.ORDERS_QUEUE,
    visibilitySeconds: env.VISIBILITY_TIMEOUT_SECONDS,
    waitSeconds: env.RECEIVE_WAIT_SECONDS,
    maxReceiveCount: env.MAX_RECEIVE_COUNT,
    ...(env.CONSUMER && { consumer: env.CONSUMER }),
  });
}
