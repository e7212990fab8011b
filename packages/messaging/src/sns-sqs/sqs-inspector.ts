/** Looking at a queue and its dead-letter queue without being their producer, consumer or owner. */

import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { OutgoingMessage, QueueDepth } from "../broker.ts";
import { peek } from "../queue.ts";
import { type AwsOptions, sqsClient } from "./clients.ts";
import { sqsQueue } from "./sqs-queue.ts";
import { deadLetterQueueOf } from "./topology.ts";

/** How long messages that are looked at stay hidden at the most; they are handed back at once. */
const PEEK_SECONDS = 60;

export interface QueueInspector extends AsyncDisposable {
  depth(): Promise<QueueDepth>;
  /** Up to `limit` messages of the dead-letter queue, which keeps them. */
  deadLetters(limit: number): Promise<readonly OutgoingMessage[]>;
}

/** Creates nothing: its calls reject with the SDK's QueueDoesNotExist until the queue is there. */
export function inspectSqs(options: AwsOptions & { readonly queue: string }): QueueInspector {
  const client = sqsClient(options);
  const urlOf = async (QueueName: string) => {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName }));
    return QueueUrl as string;
  };
  return {
    async depth() {
      const [url, deadUrl] = await Promise.all([
        urlOf(options.queue),
        urlOf(deadLetterQueueOf(options.queue)),
      ]);
      return await queueDepth(client, url, deadUrl);
    },
    async deadLetters(limit) {
      return await peekDeadLetters(client, await urlOf(deadLetterQueueOf(options.queue)), limit);
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}

export async function queueDepth(client: SQSClient, url: string, deadLetterUrl: string): Promise<QueueDepth> {
  const [queue, dead] = await Promise.all([counts(client, url), counts(client, deadLetterUrl)]);
  return { ...queue, deadLettered: dead.visible + dead.inFlight + dead.delayed };
}

export async function peekDeadLetters(
  client: SQSClient,
  url: string,
  limit: number,
): Promise<readonly OutgoingMessage[]> {
  return await peek(sqsQueue({ client, url, visibilitySeconds: PEEK_SECONDS, waitSeconds: 0 }), limit);
}

/** Approximate by SQS's own word. */
export async function counts(client: SQSClient, url: string) {
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
