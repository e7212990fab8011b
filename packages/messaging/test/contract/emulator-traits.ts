/**
 * What an emulator does where emulators differ from each other or from AWS, found out by asking it. Tests pin what was
 * found, docs/emulators.md says what it means for the lab; an emulator that changes is noticed.
 */

import { randomUUID } from "node:crypto";
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { waitFor } from "@parallax/testkit";
import { emulatorAccess } from "./brokers.ts";

export interface EmulatorTraits {
  /** Of twenty messages, each was in the queue when the topic had acknowledged it. */
  readonly publishWaitsForQueue: boolean;
  /** Visible, in flight: right after five were sent and two of them received. */
  readonly countsAreExact: boolean;
  /** A message that has used up its receives is moved while nobody receives from its queue. */
  readonly deadLettersUnasked: boolean;
  /** Its receive count in the dead-letter queue, on its first receive there, after two in the queue. */
  readonly receiveCountWhenDeadLettered: number;
  /** A long poll whose caller has hung up takes what arrives next, and hides it until the visibility timeout ends. */
  readonly abandonedPollsTakeMessages: boolean;
  /** What becomes of a message that is deleted by the receipt of an earlier delivery, while a later one holds it. */
  readonly deleteByOldReceipt: "deleted" | "kept" | "refused";
  /** Extending a delivery whose visibility timeout has ended, before anybody else has received the message. */
  readonly extendAfterExpiry: "extended" | "refused";
  /** Creating a queue that is there, with another visibility timeout. */
  readonly createWithOtherAttributes: "accepted" | "refused";
  /** A message to the topic of more than 256 KiB. */
  readonly publishTooLarge: "accepted" | "refused";
  /** Receive count of a dead letter that StartMessageMoveTask has sent back, on its first receive after two in vain. */
  readonly receiveCountWhenRedriven: number | "no such task";
}

export async function observeTraits(endpoint: string): Promise<EmulatorTraits> {
  const sqs = new SQSClient({ ...emulatorAccess, endpoint, useQueueUrlAsEndpoint: false });
  const sns = new SNSClient({ ...emulatorAccess, endpoint });
  try {
    const [
      publishWaitsForQueue,
      countsAreExact,
      deadLetters,
      abandonedPollsTakeMessages,
      receipts,
      others,
      large,
      receiveCountWhenRedriven,
    ] = await Promise.all([
      observePublish(sns, sqs),
      observeCounts(sqs),
      observeDeadLetters(sqs),
      observeAbandonedPolls(sqs),
      observeReceipts(sqs),
      observeOtherAttributes(sqs),
      observeTooLarge(sns),
      observeRedrive(sqs),
    ]);
    return {
      publishWaitsForQueue,
      countsAreExact,
      ...deadLetters,
      abandonedPollsTakeMessages,
      ...receipts,
      createWithOtherAttributes: others,
      publishTooLarge: large,
      receiveCountWhenRedriven,
    };
  } finally {
    sqs.destroy();
    sns.destroy();
  }
}

/** Whether a message is gone when its retention period is over: a minute, the shortest there is. */
export async function observeRetention(endpoint: string): Promise<boolean> {
  const sqs = new SQSClient({ ...emulatorAccess, endpoint, useQueueUrlAsEndpoint: false });
  try {
    const url = await createQueue(sqs, { MessageRetentionPeriod: "60" });
    await send(sqs, url);
    await elapsed(63_000);
    return (await receive(sqs, url)).length === 0;
  } finally {
    sqs.destroy();
  }
}

async function observePublish(sns: SNSClient, sqs: SQSClient): Promise<boolean> {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `traits-${randomUUID()}` }));
  const url = await createQueue(sqs);
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: await arnOf(sqs, url) }));
  let waits = true;
  for (let n = 1; n <= 20; n += 1) {
    await sns.send(new PublishCommand({ TopicArn, Message: "hello" }));
    waits &&= (await counts(sqs, url))[0] === n;
    await waitFor("the message", async () => (await counts(sqs, url))[0] === n);
  }
  return waits;
}

async function observeCounts(sqs: SQSClient): Promise<boolean> {
  const url = await createQueue(sqs);
  for (let n = 0; n < 5; n += 1) await send(sqs, url);
  const sent = await counts(sqs, url);
  await receive(sqs, url, { max: 2 });
  const received = await counts(sqs, url);
  return [...sent, ...received].join() === [5, 0, 3, 2].join();
}

async function observeDeadLetters(sqs: SQSClient) {
  const dead = await createQueue(sqs);
  const url = await createQueue(sqs, {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: await arnOf(sqs, dead), maxReceiveCount: "2" }),
  });
  await send(sqs, url);
  for (let n = 0; n < 2; n += 1) {
    await waitFor("a delivery", async () => (await receive(sqs, url, { visibility: 1 }))[0]);
  }
  const inDead = async () => (await counts(sqs, dead))[0] === 1;
  // Longer than the last delivery's visibility timeout.
  const unasked = await waitFor("a move that nobody asked for", inDead, 2500).catch(() => false);
  await receive(sqs, url);
  const [message] = await waitFor("the dead letter", async () => {
    const received = await receive(sqs, dead);
    return received.length > 0 && received;
  });
  return { deadLettersUnasked: unasked, receiveCountWhenDeadLettered: receiveCount(message) };
}

async function observeRedrive(sqs: SQSClient): Promise<number | "no such task"> {
  const dead = await createQueue(sqs);
  const SourceArn = await arnOf(sqs, dead);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: "2" });
  const url = await createQueue(sqs, { RedrivePolicy });
  await send(sqs, url);
  for (let n = 0; n < 2; n += 1)
    await waitFor("a delivery", async () => (await receive(sqs, url, { visibility: 1 }))[0]);
  // Some move it when its last delivery has ended, some when it is asked for after that.
  await waitFor("the dead letter", async () => {
    await receive(sqs, url);
    return (await counts(sqs, dead))[0] === 1;
  });
  const DestinationArn = await arnOf(sqs, url);
  const started = await sqs.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn })).then(
    () => true,
    (error: Error) => {
      if (error.name !== "InvalidAction") throw error;
      return false;
    },
  );
  if (!started) return "no such task";
  return receiveCount(await waitFor("the message", async () => (await receive(sqs, url))[0]));
}

/**
 * Of five polls, what most of them do. Nothing tells from outside when a poll has arrived, and when its end has been
 * noticed: the times are long, for busy machines, and well below the poll's own 20 s.
 */
async function observeAbandonedPolls(sqs: SQSClient): Promise<boolean> {
  const taken = await Promise.all(Array.from({ length: 5 }, () => abandonedPollTakes(sqs)));
  return taken.filter((each) => each).length > taken.length / 2;
}

async function abandonedPollTakes(sqs: SQSClient): Promise<boolean> {
  const url = await createQueue(sqs);
  const hungUp = new AbortController();
  const poll = receive(sqs, url, { wait: 20, visibility: 3, signal: hungUp.signal }).catch(() => undefined);
  await elapsed(2000);
  hungUp.abort();
  await poll;
  await elapsed(6000);
  await send(sqs, url);
  const [message] = await receive(sqs, url, { wait: 1 });
  const taken = message === undefined;
  if (taken) await waitFor("the message to come back", async () => (await receive(sqs, url))[0]);
  return taken;
}

async function observeReceipts(sqs: SQSClient) {
  const url = await createQueue(sqs);
  await send(sqs, url);
  const [first] = await receive(sqs, url, { visibility: 1 });
  // The visibility timeout and a little more.
  await elapsed(1100);
  const extended = await accepted(
    sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: url,
        ReceiptHandle: first?.ReceiptHandle,
        VisibilityTimeout: 1,
      }),
    ),
  );
  const second = await waitFor(
    "the second delivery",
    async () => (await receive(sqs, url, { visibility: 20 }))[0],
  );
  const deleted = await accepted(
    sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle })),
  );
  const [visible, inFlight] = await counts(sqs, url);
  const gone = visible + inFlight === 0;
  return {
    extendAfterExpiry: extended && receiveCount(second) === 2 ? ("extended" as const) : ("refused" as const),
    deleteByOldReceipt: gone ? ("deleted" as const) : deleted ? ("kept" as const) : ("refused" as const),
  };
}

async function observeOtherAttributes(sqs: SQSClient): Promise<"accepted" | "refused"> {
  const QueueName = `traits-${randomUUID()}`;
  const create = (VisibilityTimeout: string) =>
    sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout } }));
  await create("30");
  return (await accepted(create("5"))) ? "accepted" : "refused";
}

async function observeTooLarge(sns: SNSClient): Promise<"accepted" | "refused"> {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `traits-${randomUUID()}` }));
  const Message = "x".repeat(256 * 1024 + 1);
  return (await accepted(sns.send(new PublishCommand({ TopicArn, Message })))) ? "accepted" : "refused";
}

async function createQueue(sqs: SQSClient, attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: `traits-${randomUUID()}`, Attributes: attributes }),
  );
  return QueueUrl as string;
}

async function arnOf(sqs: SQSClient, QueueUrl: string): Promise<string | undefined> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  return Attributes?.QueueArn;
}

async function send(sqs: SQSClient, QueueUrl: string): Promise<void> {
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
}

interface ReceiveOptions {
  readonly max?: number;
  readonly wait?: number;
  readonly visibility?: number;
  readonly signal?: AbortSignal;
}

async function receive(sqs: SQSClient, QueueUrl: string, options: ReceiveOptions = {}): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: options.max ?? 1,
    WaitTimeSeconds: options.wait ?? 0,
    VisibilityTimeout: options.visibility ?? 30,
    MessageSystemAttributeNames: ["ApproximateReceiveCount"],
  });
  const { Messages } = await sqs.send(command, options.signal ? { abortSignal: options.signal } : {});
  return Messages ?? [];
}

async function counts(sqs: SQSClient, QueueUrl: string): Promise<[visible: number, inFlight: number]> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }),
  );
  return [
    Number(Attributes?.ApproximateNumberOfMessages),
    Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
  ];
}

function receiveCount(message: Message | undefined): number {
  return Number(message?.Attributes?.ApproximateReceiveCount);
}

async function elapsed(milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  await waitFor(`${milliseconds} ms`, () => performance.now() >= until, milliseconds + 10_000);
}

async function accepted(call: Promise<unknown>): Promise<boolean> {
  return await call.then(
    () => true,
    () => false,
  );
}
