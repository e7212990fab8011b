/**
 * Dead letters back to their queue. By SQS's own task where the server has it; emulators that do not know it get the same by
 * receive, send and delete, in that order: a crash in between leaves a message in both queues and loses none.
 */

import { setTimeout as sleep } from "node:timers/promises";
import {
  CancelMessageMoveTaskCommand,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import type { RedriveOptions } from "../broker.ts";
import { BrokerUnavailable } from "../errors.ts";
import { BATCH } from "../queue.ts";
import { counts } from "./counts.ts";
import { splitBySize } from "./split-by-size.ts";

export interface RedrivenQueues {
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}

const POLL_MS = 500;
/** A task that moves nothing for so long is not waited for any longer; the server may go on with it. */
const STANDSTILL_MS = 60_000;
/** How long a message on its way between the queues stays hidden in the first one. */
const MOVING_SECONDS = 60;

/** What servers answer that have no such task. */
const UNKNOWN_TO_SERVER = /InvalidAction|UnknownOperation|NotImplemented|UnknownAction/;
/** AWS: a task that runs, among others. An emulator: no such task. */
const UNSUPPORTED = /UnsupportedOperation/;
const RUNNING = /already.*(task|running)|active task/i;

export async function redriveSqs(
  client: SQSClient,
  queues: RedrivenQueues,
  options: RedriveOptions = {},
): Promise<{ readonly moved: number }> {
  options.signal?.throwIfAborted();
  // A task moves all there is.
  if (options.limit === undefined) {
    const arn = await startTask(client, queues);
    if (arn !== undefined) return await untilDone(client, arn, options);
  }
  return await moveByHand(client, queues, options);
}

/**
 * Resolves to the ARN that the task goes by; undefined where the server has no such tasks.
 * @throws BrokerUnavailable when one is running already
 */
async function startTask(client: SQSClient, queues: RedrivenQueues): Promise<string | undefined> {
  const [SourceArn, DestinationArn] = await Promise.all(
    [queues.deadLetterQueueUrl, queues.queueUrl].map((url) => arnOf(client, url)),
  );
  try {
    await client.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
    return SourceArn;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { name, message } = error;
    if (RUNNING.test(message))
      throw new BrokerUnavailable(
        "The server is moving these dead letters already: one task at a time. Try again when it is done",
        { cause: error },
      );
    const isEmulator = client.config.endpoint !== undefined;
    if (UNKNOWN_TO_SERVER.test(name) || (UNSUPPORTED.test(name) && isEmulator)) return undefined;
    throw error;
  }
}

async function untilDone(client: SQSClient, SourceArn: string, { signal, onMoved }: RedriveOptions) {
  let moved = 0;
  let movedAt = performance.now();
  for (;;) {
    const task = await newestTask(client, SourceArn);
    const now = task?.ApproximateNumberOfMessagesMoved ?? 0;
    if (now > moved) {
      moved = now;
      movedAt = performance.now();
      onMoved?.(moved);
    }
    if (task?.Status === "COMPLETED") return { moved };
    if (task?.Status === "FAILED" || task?.Status === "CANCELLED") {
      const why = task.FailureReason ?? task.Status;
      throw new BrokerUnavailable(`The server moved ${moved} dead letters and stopped: ${why}`, {
        cause: task,
      });
    }
    if (performance.now() - movedAt > STANDSTILL_MS)
      throw new BrokerUnavailable(`The server moved ${moved} dead letters and none for a minute since`);
    await sleep(POLL_MS, undefined, signal && { signal }).catch(async () => {
      await cancel(client, task);
      signal?.throwIfAborted();
    });
  }
}

async function newestTask(client: SQSClient, SourceArn: string) {
  const { Results } = await client.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }));
  return Results?.[0];
}

async function cancel(client: SQSClient, task: ListMessageMoveTasksResultEntry | undefined): Promise<void> {
  if (task?.TaskHandle === undefined) return;
  // It may have ended meanwhile, which is what is wanted.
  await client.send(new CancelMessageMoveTaskCommand({ TaskHandle: task.TaskHandle })).catch(() => {});
}

async function moveByHand(
  client: SQSClient,
  { queueUrl, deadLetterQueueUrl }: RedrivenQueues,
  { limit = Number.POSITIVE_INFINITY, signal, onMoved }: RedriveOptions,
) {
  const there = await counts(client, deadLetterQueueUrl);
  const most = Math.min(limit, there.visible + there.inFlight + there.delayed);
  let moved = 0;
  while (moved < most) {
    signal?.throwIfAborted();
    const letters = await receive(client, deadLetterQueueUrl, Math.min(BATCH, most - moved));
    if (letters.length === 0) break;
    const sent = new Set<Message>();
    try {
      for (const part of splitBySize(letters, sizeOf)) {
        for (const message of await send(client, queueUrl, part)) sent.add(message);
      }
    } finally {
      // Also when a part failed: what has been sent must not be sent again, what has not must be seen again.
      await hide(
        client,
        deadLetterQueueUrl,
        letters.filter((message) => !sent.has(message)),
      );
      await remove(client, deadLetterQueueUrl, [...sent]);
    }
    moved += sent.size;
    onMoved?.(moved);
    if (sent.size < letters.length)
      throw new BrokerUnavailable(
        `${moved} dead letters were moved, then the queue refused ${letters.length - sent.size}`,
      );
  }
  return { moved };
}

async function receive(client: SQSClient, url: string, max: number): Promise<readonly Message[]> {
  const answer = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: max,
      VisibilityTimeout: MOVING_SECONDS,
      WaitTimeSeconds: 0,
      MessageAttributeNames: ["All"],
    }),
  );
  return answer.Messages ?? [];
}

/** Resolves to what the queue took. */
async function send(client: SQSClient, url: string, messages: readonly Message[]): Promise<Message[]> {
  const Entries = messages.map(({ Body = "", MessageAttributes = {} }, at) => ({
    Id: String(at),
    MessageBody: Body,
    MessageAttributes,
  }));
  const { Successful } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
  return (Successful ?? []).flatMap(({ Id }) => messages[Number(Id)] ?? []);
}

async function remove(client: SQSClient, url: string, messages: readonly Message[]): Promise<void> {
  if (messages.length === 0) return;
  const Entries = messages.map(({ ReceiptHandle = "" }, at) => ({ Id: String(at), ReceiptHandle }));
  await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
}

async function hide(client: SQSClient, url: string, messages: readonly Message[]): Promise<void> {
  if (messages.length === 0) return;
  const Entries = messages.map(({ ReceiptHandle = "" }, at) => ({
    Id: String(at),
    ReceiptHandle,
    VisibilityTimeout: 0,
  }));
  await client
    .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }))
    // They come back by themselves then, later.
    .catch(() => {});
}

async function arnOf(client: SQSClient, QueueUrl: string): Promise<string | undefined> {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  return Attributes?.QueueArn;
}

function sizeOf({ Body = "", MessageAttributes = {} }: Message): number {
  let bytes = Buffer.byteLength(Body);
  for (const [name, { DataType = "", StringValue = "", BinaryValue }] of Object.entries(MessageAttributes))
    bytes += Buffer.byteLength(name + DataType + StringValue) + (BinaryValue?.byteLength ?? 0);
  return bytes;
}
