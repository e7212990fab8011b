/**
 * The Broker port on SNS and SQS by the AWS SDK: one code path for AWS and every emulator, of which only
 * the endpoint differs.
 */

import type { SQSClient } from "@aws-sdk/client-sqs";
import { createBatcher } from "../batcher.ts";
import type { Broker, ConsumeOptions, Handler, OutgoingMessage } from "../broker.ts";
import { leasingConsumer } from "../consumer/leasing-consumer.ts";
import { BrokerUnavailable } from "../errors.ts";
import { type AwsOptions, snsClient, sqsClient } from "./clients.ts";
import { counts, queueDepth } from "./counts.ts";
import { isMissing } from "./missing.ts";
import { PUBLISHED_TOGETHER, publishTogether } from "./publish.ts";
import { redriveSqs } from "./redrive.ts";
import { remade } from "./remade.ts";
import { peekDeadLetters } from "./sqs-operator.ts";
import { sqsQueue } from "./sqs-queue.ts";
import { ensureQueues, ensureTopology, type TopologyOptions } from "./topology.ts";

export interface SnsSqsOptions extends AwsOptions, TopologyOptions {
  /** Length of a long poll, 0 to 20 seconds. */
  readonly waitSeconds: number;
  /** Whether messages published in the same turn of the loop may share a call; true by default. */
  readonly publishTogether?: boolean;
}

const PUBLISH_MS = 5000;

/** Opens no connection by itself: `prepare` makes the topology, `publish` and `consume` do so when they must. */
export function connectSnsSqs(options: SnsSqsOptions): Broker {
  const { visibilitySeconds, waitSeconds } = options;
  // An answer that is late is not waited for again: each attempt may publish the message once more.
  const producer = snsClient(options, PUBLISH_MS, 1);
  const control = sqsClient(options);
  // Long polls hold their sockets for seconds: apart from the others, with a time-out of their own.
  const poller = sqsClient(options, (waitSeconds + 10) * 1000);

  const whole = remade(() => made(ensureTopology(producer, control, options)), isMissing);
  const queues = remade(() => made(ensureQueues(control, options)), isMissing);

  // What requests that came in together publish goes to SNS together: a call to it costs more than a message.
  const publishing = createBatcher<OutgoingMessage>({
    max: options.publishTogether === false ? 1 : PUBLISHED_TOGETHER,
    lingerMs: "this turn",
    send: (messages) => whole(({ topicArn }) => publishTogether(producer, topicArn, messages)),
  });

  return {
    kind: "sns-sqs",

    async prepare() {
      await whole(async () => {});
    },

    async publish(message) {
      try {
        await publishing.add(message);
      } catch (error) {
        if (error instanceof BrokerUnavailable) throw error;
        throw unavailable("The message was not acknowledged", error);
      }
    },

    consume(handler: Handler, consumeOptions: ConsumeOptions) {
      const queue = (client: SQSClient, url: string) =>
        sqsQueue({ client, url, visibilitySeconds, waitSeconds });
      return leasingConsumer(
        {
          visibilitySeconds,
          receive: (max, signal) => queues(({ queueUrl }) => queue(poller, queueUrl).receive(max, signal)),
          remove: (receipts) => queues(({ queueUrl }) => queue(control, queueUrl).remove(receipts)),
          hide: (receipts, seconds) =>
            queues(({ queueUrl }) => queue(control, queueUrl).hide(receipts, seconds)),
        },
        handler,
        consumeOptions,
      );
    },

    depth: () =>
      queues(({ queueUrl, deadLetterQueueUrl }) => queueDepth(control, queueUrl, deadLetterQueueUrl)),

    deadLetters: (limit) =>
      queues(({ deadLetterQueueUrl }) => peekDeadLetters(control, deadLetterQueueUrl, limit)),

    redrive: (redriveOptions) => queues((urls) => redriveSqs(control, urls, redriveOptions)),

    // Of the queue: a producer whose topic is gone makes it again when it next publishes.
    async check() {
      await queues(({ queueUrl }) => counts(control, queueUrl));
    },

    async [Symbol.asyncDispose]() {
      for (const client of [producer, control, poller]) client.destroy();
    },
  };
}

async function made<T>(topology: Promise<T>): Promise<T> {
  try {
    return await topology;
  } catch (error) {
    throw unavailable("The topic and the queue could not be made ready", error);
  }
}

function unavailable(what: string, cause: unknown): BrokerUnavailable {
  const { name, code } = cause as { name?: string; code?: string };
  return new BrokerUnavailable(`${what}: ${code ?? name ?? "unknown error"}`, { cause });
}
