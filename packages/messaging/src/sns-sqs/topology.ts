/** The topic, the queue, its dead-letter queue and the subscription between them. */

import { CreateTopicCommand, type SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
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

export type Queues = Omit<Topology, "topicArn"> & { readonly queueArn: string };

/**
 * The queues alone: what a consumer needs. Creates what is missing and finds what is there, which takes on these settings
 * when it had others.
 */
export async function ensureQueues(sqs: SQSClient, options: TopologyOptions): Promise<Queues> {
  const deadLetters = await createQueue(sqs, deadLetterQueueOf(options.queue), {
    MessageRetentionPeriod: String(RETENTION_SECONDS.deadLetters),
  });
  const queue = await createQueue(sqs, options.queue, {
    VisibilityTimeout: String(options.visibilitySeconds),
    MessageRetentionPeriod: String(RETENTION_SECONDS.queue),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: deadLetters.arn,
      maxReceiveCount: String(options.maxReceiveCount),
    }),
  });
  return { queueUrl: queue.url, queueArn: queue.arn, deadLetterQueueUrl: deadLetters.url };
}

/**
 * All of it: what a producer needs. The topic comes last and its subscription right after it, since a topic
 * without one acknowledges what is published and drops it. For the same reason consumers make no topic.
 */
export async function ensureTopology(
  sns: SNSClient,
  sqs: SQSClient,
  options: TopologyOptions,
): Promise<Topology> {
  const { queueArn, ...queues } = await ensureQueues(sqs, options);
  const Policy = allowTopics(queueArn, options.topic);
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queues.queueUrl, Attributes: { Policy } }));
  const topicArn = await createTopic(sns, options.topic);
  await sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: "sqs",
      Endpoint: queueArn,
      Attributes: { RawMessageDelivery: "true" },
      ReturnSubscriptionArn: true,
    }),
  );
  return { topicArn, ...queues };
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
  const url = await createOrAdapt(sqs, name, attributes);
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }),
  );
  return { url, arn: present(Attributes?.QueueArn, "QueueArn") };
}

async function createOrAdapt(
  sqs: SQSClient,
  QueueName: string,
  Attributes: Record<string, string>,
): Promise<string> {
  try {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return present(QueueUrl, "QueueUrl");
  } catch (error) {
    // A queue outlives the configuration it was made with, wherever queues are kept.
    if (!(error instanceof Error && /QueueNameExists|QueueAlreadyExists/.test(error.name))) throw error;
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
    return present(QueueUrl, "QueueUrl");
  }
}

/**
 * Without this policy AWS drops what the topic sends, silently. The topic is named by the queue's own account
 * and region: it is not there yet.
 */
function allowTopics(queueArn: string, topic: string): string {
  const [, , , region, account] = queueArn.split(":");
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnLike: { "aws:SourceArn": `arn:aws*:sns:${region}:${account}:${topic}` } },
      },
    ],
  });
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The broker answered without ${what}`);
  return value;
}
