/**
 * Looking after the dead letters of a Lambda function. What Lambda gives up on reaches its on-failure destination as a record of
 * its own making: the event, and why it failed. What was published is in the event, and goes back to the topic: there is no queue
 * before a function.
 */

import { CreateTopicCommand, PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import { GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import type { OutgoingMessage, QueueOperator, RedriveOptions } from "../broker.ts";
import { BATCH, type ReceivedMessage } from "../queue.ts";
import { type AwsOptions, snsClient, sqsClient } from "./clients.ts";
import { sqsOperator } from "./sqs-operator.ts";
import { sqsQueue } from "./sqs-queue.ts";
import { deadLetterQueueOf, requireSubscriber } from "./topology.ts";

export interface FunctionOperatorOptions extends AwsOptions {
  readonly queue: string;
  readonly topic: string;
}

/** How long a message on its way back to the topic stays hidden among the dead letters. */
const MOVING_SECONDS = 60;

/** Creates no queue: its calls reject with the SDK's QueueDoesNotExist until it is there. */
export function functionOperator(options: FunctionOperatorOptions): QueueOperator {
  const operator = sqsOperator(options);
  const [sns, sqs] = [snsClient(options), sqsClient(options)];

  /** Published first and removed then: a crash in between leaves a message in both places and loses none. */
  async function redrive({ limit, signal, onMoved }: RedriveOptions = {}) {
    signal?.throwIfAborted();
    const { QueueUrl = "" } = await sqs.send(
      new GetQueueUrlCommand({ QueueName: deadLetterQueueOf(options.queue) }),
    );
    const queue = sqsQueue({ client: sqs, url: QueueUrl, visibilitySeconds: MOVING_SECONDS, waitSeconds: 0 });
    const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: options.topic }));
    await requireSubscriber(sns, TopicArn);
    // No more than there were: what fails again comes back while this goes on.
    const most = Math.min(limit ?? Number.POSITIVE_INFINITY, (await operator.depth()).deadLettered);
    let moved = 0;
    while (moved < most) {
      signal?.throwIfAborted();
      const received = await queue.receive(Math.min(BATCH, most - moved), new AbortController().signal);
      if (received.length === 0) break;
      for (const message of received) await publishAll(sns, TopicArn, publishedIn(message));
      await queue.remove(received.map(({ receipt }) => receipt));
      moved += received.length;
      onMoved?.(moved);
    }
    return { moved };
  }

  return {
    depth: () => operator.depth(),
    async deadLetters(limit) {
      return (await operator.deadLetters(limit)).flatMap(publishedIn).slice(0, limit);
    },
    redrive,
    async [Symbol.asyncDispose]() {
      sns.destroy();
      sqs.destroy();
      await operator[Symbol.asyncDispose]();
    },
  };
}

/** What was published, of a record of Lambda's; anything else is what it is, as from the time of a queue's workers. */
export function publishedIn(message: OutgoingMessage | ReceivedMessage): readonly OutgoingMessage[] {
  const { body, attributes } = message;
  const asItIs = [{ body, attributes }];
  const records = recordsOf(body);
  if (!Array.isArray(records) || records.length === 0) return asItIs;
  const published = records.map((record: unknown) => notification(record));
  return published.every((each) => each !== undefined) ? published : asItIs;
}

function recordsOf(body: string): unknown {
  try {
    return (JSON.parse(body) as { requestPayload?: { Records?: unknown } } | null)?.requestPayload?.Records;
  } catch {
    return undefined;
  }
}

function notification(record: unknown): OutgoingMessage | undefined {
  const sns = (record as { Sns?: { Message?: unknown; MessageAttributes?: unknown } } | null)?.Sns;
  if (typeof sns?.Message !== "string") return undefined;
  const attributes = Object.entries((sns.MessageAttributes ?? {}) as Record<string, { Value?: unknown }>);
  return {
    body: sns.Message,
    attributes: Object.fromEntries(
      attributes.flatMap(([name, { Value }]) => (typeof Value === "string" ? [[name, Value]] : [])),
    ),
  };
}

async function publishAll(sns: SNSClient, TopicArn: string, messages: readonly OutgoingMessage[]) {
  for (const { body, attributes } of messages) {
    const MessageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
    );
    await sns.send(new PublishCommand({ TopicArn, Message: body, MessageAttributes }));
  }
}
