/**
 * The Broker port on SNS and SQS by the AWS SDK: one code path for AWS and every emulator, of which only
 * the endpoint differs.
 */

import { PublishCommand } from "@aws-sdk/client-sns";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Broker, ConsumeOptions, Handler, OutgoingMessage } from "../broker.ts";
import { leasingConsumer } from "../consumer/leasing-consumer.ts";
import { BrokerUnavailable } from "../errors.ts";
import { type AwsOptions, snsClient, sqsClient } from "./clients.ts";
import { counts, peekDeadLetters, queueDepth } from "./sqs-inspector.ts";
import { sqsQueue } from "./sqs-queue.ts";
import { ensureTopology, type Topology, type TopologyOptions } from "./topology.ts";

export interface SnsSqsOptions extends AwsOptions, TopologyOptions {
  /** Length of a long poll, 0 to 20 seconds. */
  readonly waitSeconds: number;
}

/** Opens no connection by itself: `prepare` makes the topology, `publish` and `consume` do so when they must. */
export function connectSnsSqs(options: SnsSqsOptions): Broker {
  const { visibilitySeconds, waitSeconds } = options;
  const producer = snsClient(options);
  const control = sqsClient(options);
  // Long polls hold their sockets for seconds: apart from the others, with a time-out of their own.
  const poller = sqsClient(options, (waitSeconds + 10) * 1000);
  let topology: Promise<Topology> | undefined;

  function ensured(): Promise<Topology> {
    topology ??= ensureTopology(producer, control, options).catch((error: unknown) => {
      topology = undefined;
      throw unavailable("The topic and the queue could not be made ready", error);
    });
    return topology;
  }

  /** An emulator that keeps nothing comes back empty: make the topology again and try once more. */
  async function withTopology<T>(use: (topology: Topology) => Promise<T>): Promise<T> {
    const known = ensured();
    try {
      return await use(await known);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Of all that find it missing at once, only the first begins anew.
      if (topology === known) topology = undefined;
      return await use(await ensured());
    }
  }

  return {
    kind: "sns-sqs",

    async prepare() {
      await ensured();
    },

    async publish(message) {
      try {
        await withTopology(({ topicArn }) => producer.send(publishCommand(topicArn, message)));
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
          receive: (max, signal) =>
            withTopology(({ queueUrl }) => queue(poller, queueUrl).receive(max, signal)),
          remove: (receipts) => withTopology(({ queueUrl }) => queue(control, queueUrl).remove(receipts)),
          hide: (receipts, seconds) =>
            withTopology(({ queueUrl }) => queue(control, queueUrl).hide(receipts, seconds)),
        },
        handler,
        consumeOptions,
      );
    },

    depth: () =>
      withTopology(({ queueUrl, deadLetterQueueUrl }) => queueDepth(control, queueUrl, deadLetterQueueUrl)),

    deadLetters: (limit) =>
      withTopology(({ deadLetterQueueUrl }) => peekDeadLetters(control, deadLetterQueueUrl, limit)),

    async check() {
      await withTopology(({ queueUrl }) => counts(control, queueUrl));
    },

    async [Symbol.asyncDispose]() {
      for (const client of [producer, control, poller]) client.destroy();
    },
  };
}

function publishCommand(topicArn: string, message: OutgoingMessage): PublishCommand {
  const attributes = Object.entries(message.attributes).map(
    ([name, value]) => [name, { DataType: "String", StringValue: value }] as const,
  );
  return new PublishCommand({
    TopicArn: topicArn,
    Message: message.body,
    MessageAttributes: Object.fromEntries(attributes),
  });
}

const MISSING = new Set([
  "NotFound",
  "NotFoundException",
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
]);

function isMissing(error: unknown): boolean {
  return error instanceof Error && MISSING.has(error.name);
}

function unavailable(what: string, cause: unknown): BrokerUnavailable {
  const { name, code } = cause as { name?: string; code?: string };
  return new BrokerUnavailable(`${what}: ${code ?? name ?? "unknown error"}`, { cause });
}
