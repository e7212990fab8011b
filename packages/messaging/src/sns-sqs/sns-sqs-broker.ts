/**
 * The Broker port on SNS and SQS by the AWS SDK: one code path for AWS and every emulator, of which only
 * the endpoint differs.
 */

import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Broker, ConsumeOptions, Handler, OutgoingMessage, QueueDepth } from "../broker.ts";
import { leasingConsumer } from "../consumer/leasing-consumer.ts";
import { BrokerUnavailable } from "../errors.ts";
import { peek } from "../queue.ts";
import { sqsQueue } from "./sqs-queue.ts";
import { ensureTopology, type Topology, type TopologyOptions } from "./topology.ts";

export interface SnsSqsOptions
  extends Omit<TopologyOptions, "deadLetterRetentionSeconds" | "retentionSeconds"> {
  readonly region: string;
  /** The emulator's URL; undefined means AWS itself. */
  readonly endpoint?: string | undefined;
  /** Where the SDK should not look for them by itself; an emulator takes any. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Length of a long poll, 0 to 20 seconds. */
  readonly waitSeconds: number;
}

const DAY = 24 * 60 * 60;
/** As published: four days in the queue; longer once dead-lettered, so that nothing vanishes unseen. */
const RETENTION = { queue: 4 * DAY, deadLetters: 14 * DAY };
/** The SDK's 50 would be the ceiling of a receiver under load. */
const MAX_SOCKETS = 256;
/** How long messages that are looked at stay hidden at the most; they are handed back at once. */
const PEEK_SECONDS = 60;
const CONNECT_MS = 1000;
const ANSWER_MS = 5000;

/** Opens no connection by itself: `prepare` makes the topology, `publish` and `consume` do so when they must. */
export function connectSnsSqs(options: SnsSqsOptions): Broker {
  const { region, endpoint, credentials, visibilitySeconds, waitSeconds } = options;
  const shared = {
    region,
    maxAttempts: 3,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
  };
  const producer = new SNSClient({ ...shared, requestHandler: httpHandler(ANSWER_MS) });
  // An emulator's queue URLs name hosts that need not resolve here; its endpoint does.
  const sqsConfig = { ...shared, useQueueUrlAsEndpoint: endpoint === undefined };
  const control = new SQSClient({ ...sqsConfig, requestHandler: httpHandler(ANSWER_MS) });
  // Long polls hold their sockets for seconds: apart from the others, with a time-out of their own.
  const poller = new SQSClient({ ...sqsConfig, requestHandler: httpHandler((waitSeconds + 10) * 1000) });
  let topology: Promise<Topology> | undefined;

  function ensured(): Promise<Topology> {
    topology ??= ensureTopology(producer, control, {
      ...options,
      retentionSeconds: RETENTION.queue,
      deadLetterRetentionSeconds: RETENTION.deadLetters,
    }).catch((error: unknown) => {
      topology = undefined;
      throw unavailable("The topic and the queue could not be made ready", error);
    });
    return topology;
  }

  /** An emulator that keeps nothing comes back empty: make the topology again and try once more. */
  async function withTopology<T>(use: (topology: Topology) => Promise<T>): Promise<T> {
    try {
      return await use(await ensured());
    } catch (error) {
      if (!isMissing(error)) throw error;
      topology = undefined;
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
        throw error instanceof BrokerUnavailable
          ? error
          : unavailable("The message was not acknowledged", error);
      }
    },

    consume(handler: Handler, consumeOptions: ConsumeOptions) {
      const queue = (client: SQSClient, url: string) =>
        sqsQueue({ client, url: () => url, visibilitySeconds, waitSeconds });
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

    async depth() {
      return await withTopology(async ({ queueUrl, deadLetterQueueUrl }) => {
        const [queue, dead] = await Promise.all([
          counts(control, queueUrl),
          counts(control, deadLetterQueueUrl),
        ]);
        return { ...queue, deadLettered: dead.visible + dead.inFlight + dead.delayed } satisfies QueueDepth;
      });
    },

    async deadLetters(limit) {
      return await withTopology(({ deadLetterQueueUrl }) => {
        const queue = sqsQueue({
          client: control,
          url: () => deadLetterQueueUrl,
          visibilitySeconds: PEEK_SECONDS,
          waitSeconds: 0,
        });
        return peek(queue, limit);
      });
    },

    async check() {
      await withTopology(({ queueUrl }) => counts(control, queueUrl));
    },

    async [Symbol.asyncDispose]() {
      for (const client of [producer, control, poller]) client.destroy();
    },
  };
}

function httpHandler(requestTimeout: number): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return new NodeHttpHandler({
    httpAgent: agent,
    httpsAgent: agent,
    connectionTimeout: CONNECT_MS,
    requestTimeout,
    throwOnRequestTimeout: true,
    // Waiting for one of 256 sockets is normal at the ceiling; the request time-out bounds it.
    socketAcquisitionWarningTimeout: 60_000,
  });
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

async function counts(client: SQSClient, url: string) {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
      ],
    }),
  );
  return {
    visible: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0),
  };
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
