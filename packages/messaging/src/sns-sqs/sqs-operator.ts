/** Looking after a queue and its dead-letter queue without being their producer, consumer or owner. */

import { GetQueueUrlCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { OutgoingMessage, QueueOperator } from "../broker.ts";
import { peek } from "../queue.ts";
import { type AwsOptions, sqsClient } from "./clients.ts";
import { queueDepth } from "./counts.ts";
import { redriveSqs } from "./redrive.ts";
import { sqsQueue } from "./sqs-queue.ts";
import { deadLetterQueueOf } from "./topology.ts";

/** How long messages that are looked at stay hidden at the most; they are handed back at once. */
const PEEK_SECONDS = 60;

/** Creates nothing: its calls reject with the SDK's QueueDoesNotExist until the queue is there. */
export function sqsOperator(options: AwsOptions & { readonly queue: string }): QueueOperator {
  const client = sqsClient(options);
  const urlOf = async (QueueName: string) => {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName }));
    return QueueUrl as string;
  };
  const urls = async () => {
    const dead = deadLetterQueueOf(options.queue);
    const [queueUrl, deadLetterQueueUrl] = await Promise.all([urlOf(options.queue), urlOf(dead)]);
    return { queueUrl, deadLetterQueueUrl };
  };
  return {
    async depth() {
      const { queueUrl, deadLetterQueueUrl } = await urls();
      return await queueDepth(client, queueUrl, deadLetterQueueUrl);
    },
    async deadLetters(limit) {
      return await peekDeadLetters(client, await urlOf(deadLetterQueueOf(options.queue)), limit);
    },
    async redrive(redriveOptions) {
      return await redriveSqs(client, await urls(), redriveOptions);
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}

export async function peekDeadLetters(
  client: SQSClient,
  url: string,
  limit: number,
): Promise<readonly OutgoingMessage[]> {
  return await peek(sqsQueue({ client, url, visibilitySeconds: PEEK_SECONDS, waitSeconds: 0 }), limit);
}
