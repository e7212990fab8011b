/** How many messages a queue says that it has. Approximate by SQS's own word. */

import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { QueueDepth } from "../broker.ts";

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

export async function queueDepth(client: SQSClient, url: string, deadLetterUrl: string): Promise<QueueDepth> {
  const [queue, dead] = await Promise.all([counts(client, url), counts(client, deadLetterUrl)]);
  return { ...queue, deadLettered: dead.visible + dead.inFlight + dead.delayed };
}
