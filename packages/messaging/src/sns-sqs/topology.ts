/** The topic, the queue, its dead-letter queue and the subscription between them. */

import { CreateTopicCommand, type SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

export interface TopologyOptions {
  readonly topic: string;
  readonly queue: string;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
}

export interface Topology {
  readonly topicArn: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}

const DAY = 24 * 60 * 60;
/** As published: four days in the queue; the longest SQS has once dead-lettered, so that nothing vanishes unseen. */
const RETENTION_SECONDS = { queue: 4 * DAY, deadLetters: 14 * DAY };

export function deadLetterQueueOf(queue: string): string {
  return `${queue}-dlq`;
}

/** All calls create what is missing and find what is there, so this may run anywhere and at any time. */
export async function ensureTopology(
  sns: SNSClient,
  sqs: SQSClient,
  options: TopologyOptions,
): Promise<Topology> {
  const [topicArn, deadLetters] = await Promise.all([
    createTopic(sns, options.topic),
    createQueue(sqs, deadLetterQueueOf(options.queue), {
      MessageRetentionPeriod: String(RETENTION_SECONDS.deadLetters),
    }),
  ]);
  const queue = await createQueue(sqs, options.queue, {
    VisibilityTimeout: String(options.visibilitySeconds),
    MessageRetentionPeriod: String(RETENTION_SECONDS.queue),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: deadLetters.arn,
      maxReceiveCount: String(options.maxReceiveCount),
    }),
  });
  await sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: queue.url,
      Attributes: { Policy: allowTopic(topicArn, queue.arn) },
    }),
  );
  await sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: "sqs",
      Endpoint: queue.arn,
      Attributes: { RawMessageDelivery: "true" },
      ReturnSubscriptionArn: true,
    }),
  );
  return { topicArn, queueUrl: queue.url, deadLetterQueueUrl: deadLetters.url };
}

async function createTopic(sns: SNSClient, name: string): Promise<string> {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: name }));
  return present(TopicArn, "TopicArn");
}

async function createQueue(
  sqs: SQSClient,
  name: string,
  attributes: Record<string, string>,
): Promise<{ url: string; arn: string }> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  const url = present(QueueUrl, "QueueUrl");
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }),
  );
  return { url, arn: present(Attributes?.QueueArn, "QueueArn") };
}

/** Without this policy AWS drops what the topic sends, silently. */
function allowTopic(topicArn: string, queueArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
      },
    ],
  });
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The broker answered without ${what}`);
  return value;
}
