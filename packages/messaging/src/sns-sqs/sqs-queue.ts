/** SQS as a queue of leased messages. */

import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { LeasedQueue, ReceivedMessage } from "../queue.ts";

export interface SqsQueueOptions {
  readonly client: SQSClient;
  readonly url: string;
  readonly visibilitySeconds: number;
  /** Length of a long poll, 0 to 20. */
  readonly waitSeconds: number;
}

export function sqsQueue(options: SqsQueueOptions): LeasedQueue {
  const { client, url, visibilitySeconds, waitSeconds } = options;
  return {
    visibilitySeconds,

    async receive(max, signal) {
      const answer = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: max,
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: visibilitySeconds,
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["ApproximateReceiveCount"],
        }),
        { abortSignal: signal, requestTimeout: (waitSeconds + 10) * 1000 },
      );
      return (answer.Messages ?? []).map(asReceived);
    },

    async remove(receipts) {
      const Entries = entries(receipts);
      const answer = await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
      return refused(receipts, answer.Failed);
    },

    async hide(receipts, seconds) {
      const Entries = entries(receipts).map((entry) => ({ ...entry, VisibilityTimeout: seconds }));
      const answer = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
      return refused(receipts, answer.Failed);
    },
  };
}

function asReceived(message: Message): ReceivedMessage {
  const attributes = Object.entries(message.MessageAttributes ?? {}).flatMap(([name, { StringValue }]) =>
    StringValue === undefined ? [] : [[name, StringValue] as const],
  );
  return {
    id: message.MessageId ?? "",
    body: message.Body ?? "",
    attributes: Object.fromEntries(attributes),
    receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
    receipt: message.ReceiptHandle ?? "",
  };
}

function entries(receipts: readonly string[]) {
  return receipts.map((ReceiptHandle, at) => ({ Id: String(at), ReceiptHandle }));
}

function refused(
  receipts: readonly string[],
  failed: readonly { Id?: string | undefined }[] | undefined,
): string[] {
  return (failed ?? []).flatMap(({ Id }) => receipts[Number(Id)] ?? []);
}
