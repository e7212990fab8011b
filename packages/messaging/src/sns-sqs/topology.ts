/**
 * The topic, the queue, its dead-letter queue, and the topic's one subscriber: the queue, whose workers process the orders, or a
 * Lambda function. With both, every message would be processed twice.
 */

import {
  CreateTopicCommand,
  paginateListSubscriptionsByTopic,
  type SNSClient,
  SubscribeCommand,
  type Subscription,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { BrokerUnavailable } from "../errors.ts";

export interface TopologyOptions {
  readonly topic: string;
  readonly queue: string;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
  /** Who the topic's subscriber is; the queue, for workers, unless told. */
  readonly consumer?: ConsumerKind;
}

export type ConsumerKind = "workers" | "lambda";

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

export type Queues = Omit<Topology, "topicArn"> & {
  readonly queueArn: string;
  readonly deadLetterQueueArn: string;
};

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
  return {
    queueUrl: queue.url,
    queueArn: queue.arn,
    deadLetterQueueUrl: deadLetters.url,
    deadLetterQueueArn: deadLetters.arn,
  };
}

/**
 * All of it: what a producer needs. The topic comes last and its subscription right after it, since a topic
 * without one acknowledges what is published and drops it. For the same reason consumers make no topic.
 *
 * With `lambda`, the function is subscribed by who deploys it. Until then nothing may be published, and the queue keeps its
 * subscription if it has one.
 * @throws BrokerUnavailable while no function is subscribed
 */
export async function ensureTopology(
  sns: SNSClient,
  sqs: SQSClient,
  options: TopologyOptions,
): Promise<Topology> {
  const { queueArn, queueUrl, deadLetterQueueUrl } = await ensureQueues(sqs, options);
  const topology = { queueUrl, deadLetterQueueUrl };
  if (options.consumer === "lambda") {
    const topicArn = await createTopic(sns, options.topic);
    const subscribed = await subscriptionsOf(sns, topicArn);
    if (!subscribed.some(isFunction)) {
      throw new BrokerUnavailable(`No function is subscribed to the topic ${options.topic} yet`);
    }
    await unsubscribe(
      sns,
      subscribed.filter(({ Endpoint }) => Endpoint === queueArn),
    );
    return { topicArn, ...topology };
  }
  const Policy = allowTopics(queueArn, options.topic);
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { Policy } }));
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
  await unsubscribe(sns, (await subscriptionsOf(sns, topicArn)).filter(isFunction));
  return { topicArn, ...topology };
}

/**
 * Makes a Lambda function the topic's one subscriber: any other function and the queue lose their subscriptions. The new one
 * comes before the old ones go. What is published meanwhile is delivered twice, which has no effect; the other way round it
 * would be lost.
 */
export async function subscribeFunction(
  sns: SNSClient,
  { topic, queueArn, functionArn }: { topic: string; queueArn: string; functionArn: string },
): Promise<void> {
  const TopicArn = await createTopic(sns, topic);
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "lambda",
      Endpoint: functionArn,
      ReturnSubscriptionArn: true,
    }),
  );
  const others = (await subscriptionsOf(sns, TopicArn)).filter(
    (each) => each.Endpoint === queueArn || (isFunction(each) && each.Endpoint !== functionArn),
  );
  await unsubscribe(sns, others);
}

/** @throws BrokerUnavailable while nobody is: SNS would acknowledge what is published, and drop it */
export async function requireSubscriber(sns: SNSClient, topicArn: string): Promise<void> {
  const subscribed = await subscriptionsOf(sns, topicArn);
  if (subscribed.some(({ SubscriptionArn }) => SubscriptionArn?.startsWith("arn:"))) return;
  throw new BrokerUnavailable(
    `Nobody is subscribed to ${topicArn}, and what is published there would be lost: deploy the function first`,
  );
}

async function subscriptionsOf(client: SNSClient, TopicArn: string): Promise<Subscription[]> {
  const found: Subscription[] = [];
  for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic({ client }, { TopicArn })) {
    found.push(...Subscriptions);
  }
  return found;
}

function isFunction({ Protocol }: Subscription): boolean {
  return Protocol === "lambda";
}

/** One that another is removing at the same time is removed. */
async function unsubscribe(sns: SNSClient, subscriptions: readonly Subscription[]): Promise<void> {
  for (const { SubscriptionArn } of subscriptions) {
    // PendingConfirmation and Deleted stand where an ARN would.
    if (!SubscriptionArn?.startsWith("arn:")) continue;
    await sns.send(new UnsubscribeCommand({ SubscriptionArn })).catch((error: unknown) => {
      if (!(error instanceof Error && /NotFound/.test(error.name))) throw error;
    });
  }
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
