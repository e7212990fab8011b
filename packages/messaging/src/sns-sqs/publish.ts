/** Publishing to a topic, several messages a call where there are several. */

import { PublishBatchCommand, PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { OutgoingMessage } from "../broker.ts";
import { isMissing } from "./missing.ts";
import { splitBySize } from "./split-by-size.ts";

/** SNS takes ten entries a batch call. */
export const PUBLISHED_TOGETHER = 10;

/**
 * Resolves to the messages that were not acknowledged, with the reason of each.
 * @throws the SDK's error when nothing was and there was one call, or when it says that the topic is missing
 */
export async function publishTogether(
  client: SNSClient,
  TopicArn: string,
  messages: readonly OutgoingMessage[],
): Promise<ReadonlyMap<OutgoingMessage, unknown>> {
  const parts = splitBySize(messages, sizeOf);
  const ends = await Promise.allSettled(parts.map((part) => publishPart(client, TopicArn, part)));
  const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  if (failures.length === ends.length) {
    const missing = failures.find(isMissing);
    if (missing !== undefined || ends.length === 1) throw missing ?? failures[0];
  }
  const refused = new Map<OutgoingMessage, unknown>();
  for (const [at, end] of ends.entries()) {
    if (end.status === "rejected") for (const message of parts[at] ?? []) refused.set(message, end.reason);
    else for (const [message, reason] of end.value) refused.set(message, reason);
  }
  return refused;
}

async function publishPart(client: SNSClient, TopicArn: string, messages: readonly OutgoingMessage[]) {
  const refused = new Map<OutgoingMessage, unknown>();
  const [only] = messages;
  if (only && messages.length === 1) {
    await client.send(new PublishCommand({ TopicArn, ...entryOf(only) }));
    return refused;
  }
  const entries = messages.map((message, at) => ({ Id: String(at), ...entryOf(message) }));
  const { Successful = [], Failed = [] } = await client.send(
    new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: entries }),
  );
  const acknowledged = new Set(Successful.map(({ Id }) => Id));
  const failed = new Map(Failed.map((entry) => [entry.Id, entry]));
  for (const [at, message] of messages.entries()) {
    if (acknowledged.has(String(at))) continue;
    const { Code = "NotAcknowledged", Message = "SNS did not acknowledge this entry of the batch" } =
      failed.get(String(at)) ?? {};
    refused.set(message, Object.assign(new Error(Message), { code: Code }));
  }
  return refused;
}

function entryOf(message: OutgoingMessage) {
  const attributes = Object.entries(message.attributes).map(
    ([name, value]) => [name, { DataType: "String", StringValue: value }] as const,
  );
  return { Message: message.body, MessageAttributes: Object.fromEntries(attributes) };
}

function sizeOf({ body, attributes }: OutgoingMessage): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, value] of Object.entries(attributes)) bytes += Buffer.byteLength(`${name}String${value}`);
  return bytes;
}
