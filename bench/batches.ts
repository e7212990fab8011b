/**
 * Batches of ten beside single calls, on the embedded emulator in a process of its own: into a queue and out of it again
 * (send, receive, delete), and to a topic (publish). The same number of callers each, every caller waiting for its answer.
 * Goal: at least 5 times as many messages a second through the queue.
 */

import { randomUUID } from "node:crypto";
import {
  CreateTopicCommand,
  PublishBatchCommand,
  PublishCommand,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { snsClient, sqsClient } from "../packages/messaging/src/sns-sqs/clients.ts";
import { interleave, median, spread } from "./lib/ratio.ts";
import { startServer } from "./lib/server.ts";

const ROUNDS = 7;
const CALLERS = 4;
const MESSAGES = 800;
const GOAL = 5;
const body = JSON.stringify({
  order_id: "bench-1",
  customer_id: "customer-1",
  items: [{ product_id: "product-1", quantity: 2, price: 19.99 }],
});

await using emulator = await startServer("servers/emulator.ts");
const access = {
  region: "us-west-2",
  endpoint: emulator.url,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
};
const sqs = sqsClient(access);
const sns = snsClient(access);

async function newQueue(): Promise<string> {
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: randomUUID() }));
  return QueueUrl;
}

/** Messages a second, when each caller repeats `work` for `size` messages until all are through. */
async function rate(size: number, work: () => Promise<number>): Promise<number> {
  let left = MESSAGES;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (left > 0) {
        left -= size;
        left += size - (await work());
      }
    }),
  );
  return (MESSAGES - left) / ((performance.now() - began) / 1000);
}

const ten = Array.from({ length: 10 }, (_, at) => ({ Id: String(at), MessageBody: body }));

async function batchesThroughQueue(): Promise<number> {
  const QueueUrl = await newQueue();
  return await rate(10, async () => {
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: ten }));
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
    if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    return Entries.length;
  });
}

async function singlesThroughQueue(): Promise<number> {
  const QueueUrl = await newQueue();
  return await rate(1, async () => {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
    const { Messages: [message] = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1, WaitTimeSeconds: 1 }),
    );
    if (!message) return 0;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    return 1;
  });
}

/** A topic with a queue behind it, as orders have one. */
async function newTopic(): Promise<string> {
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: randomUUID() }));
  const name = (await newQueue()).split("/").at(-1);
  const Endpoint = `arn:aws:sqs:us-west-2:000000000000:${name}`;
  await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint, Attributes: { RawMessageDelivery: "true" } }),
  );
  return TopicArn;
}

async function batchesToTopic(): Promise<number> {
  const TopicArn = await newTopic();
  const Entries = ten.map(({ Id, MessageBody }) => ({ Id, Message: MessageBody }));
  return await rate(10, async () => {
    const { Successful = [] } = await sns.send(
      new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: Entries }),
    );
    return Successful.length;
  });
}

async function singlesToTopic(): Promise<number> {
  const TopicArn = await newTopic();
  return await rate(1, async () => {
    await sns.send(new PublishCommand({ TopicArn, Message: body }));
    return 1;
  });
}

async function compare(what: string, batches: () => Promise<number>, singles: () => Promise<number>) {
  await batches();
  await singles();
  const { a, b, ratios } = await interleave(ROUNDS, batches, singles);
  console.log(`${what}, batches of ten: ${spread(a, 0)} messages/s`);
  console.log(`${what}, single calls:   ${spread(b, 0)} messages/s`);
  console.log(`${what}, ratio:          ${spread(ratios)}`);
  return median(ratios);
}

const throughQueue = await compare("send, receive, delete", batchesThroughQueue, singlesThroughQueue);
await compare("publish", batchesToTopic, singlesToTopic);
console.log(
  `(goal: at least ${GOAL} through the queue; ${ROUNDS} interleaved pairs of ${MESSAGES} messages, ${CALLERS} callers)`,
);
sqs.destroy();
sns.destroy();
process.exitCode = throughQueue >= GOAL ? 0 : 1;
