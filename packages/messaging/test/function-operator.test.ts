/** Dead letters of a function, as Lambda writes them down: seen as what was published, and sent back to the topic. */

import { randomUUID } from "node:crypto";
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { BrokerUnavailable, connectSnsSqs, functionOperator, type OutgoingMessage } from "../src/index.ts";
import { embeddedEmulator, emulatorAccess } from "./contract/brokers.ts";

const emulator = await embeddedEmulator();
t.teardown(() => emulator.stop());

/** As AWS documents it for a failed asynchronous invocation. */
function recordOf({ body, attributes }: OutgoingMessage): string {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, Value]) => [name, { Type: "String", Value }]),
  );
  return JSON.stringify({
    version: "1.0",
    timestamp: "2026-01-02T03:04:05.678Z",
    requestContext: { requestId: randomUUID(), condition: "RetriesExhausted", approximateInvokeCount: 3 },
    requestPayload: { Records: [{ EventSource: "aws:sns", Sns: { Message: body, MessageAttributes } }] },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: { errorMessage: "The payment provider does not answer." },
  });
}

/** A topic whose messages a queue gathers, in the place of a function, and dead letters put there by hand. */
async function aTopic(t: Test) {
  const name = randomUUID();
  const access = { ...emulatorAccess, endpoint: emulator.endpoint };
  const options = { ...access, topic: `topic-${name}`, queue: `queue-${name}` };
  const gathering = connectSnsSqs({
    ...options,
    queue: `gathering-${name}`,
    visibilitySeconds: 30,
    waitSeconds: 1,
    maxReceiveCount: 5,
  });
  const broker = connectSnsSqs({
    ...options,
    topic: `unused-${name}`,
    visibilitySeconds: 30,
    waitSeconds: 1,
    maxReceiveCount: 5,
  });
  await Promise.all([gathering.prepare(), broker.prepare()]);
  const got: OutgoingMessage[] = [];
  const consumer = gathering.consume(
    async ({ body, attributes }) => void got.push({ body, attributes: { ...attributes } }),
    { concurrency: 5 },
  );
  const sqs = new SQSClient({ ...access, useQueueUrlAsEndpoint: false });
  const operator = functionOperator(options);
  t.teardown(async () => {
    await consumer.stop(0);
    sqs.destroy();
    await Promise.all([gathering, broker, operator].map((each) => each[Symbol.asyncDispose]()));
  });
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: `queue-${name}-dlq` }));
  const bury = (MessageBody: string) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  /** The same dead letters, and a topic that nobody listens to. */
  const unheard = functionOperator({ ...options, topic: `unheard-${name}` });
  t.teardown(() => unheard[Symbol.asyncDispose]());
  return { operator, unheard, got, bury };
}

const messages = Array.from({ length: 23 }, (_, n) => ({
  body: `order ${n}`,
  attributes: { traceparent: `trace ${n}` },
}));
const bodies = (of: readonly OutgoingMessage[]) => of.map(({ body }) => body).sort();

t.test("dead letters are seen as what was published, and stay", async (t) => {
  const { operator, bury } = await aTopic(t);
  for (const message of messages.slice(0, 3)) await bury(recordOf(message));
  await bury("from the time of workers");
  const seen = await operator.deadLetters(10);
  t.same(bodies(seen), ["from the time of workers", "order 0", "order 1", "order 2"]);
  t.match(
    seen.find(({ body }) => body === "order 1"),
    messages[1],
  );
  t.equal((await operator.depth()).deadLettered, 4);
});

t.test("all go back to the topic, with what went along with them", async (t) => {
  const { operator, got, bury } = await aTopic(t);
  for (const message of messages) await bury(recordOf(message));
  const told: number[] = [];
  t.same(await operator.redrive({ onMoved: (count) => void told.push(count) }), { moved: messages.length });
  await waitFor("what was published again", () => got.length === messages.length);
  t.same(bodies(got), bodies(messages));
  t.match(
    got.find(({ body }) => body === "order 7"),
    messages[7],
  );
  t.equal(told.at(-1), messages.length);
  t.equal((await operator.depth()).deadLettered, 0);
});

t.test("while nobody is subscribed to the topic, every dead letter stays", async (t) => {
  const { operator, unheard, bury } = await aTopic(t);
  for (const message of messages.slice(0, 3)) await bury(recordOf(message));
  const refusal = await unheard.redrive().catch((error: unknown) => error);
  t.type(refusal, BrokerUnavailable);
  t.match(refusal, { message: /deploy the function/ });
  t.equal((await operator.depth()).deadLettered, 3);
});

t.test("no more than asked for, and nothing once it is aborted", async (t) => {
  const { operator, bury } = await aTopic(t);
  for (const message of messages.slice(0, 5)) await bury(recordOf(message));
  t.same(await operator.redrive({ limit: 2 }), { moved: 2 });
  t.equal((await operator.depth()).deadLettered, 3);
  await t.rejects(operator.redrive({ signal: AbortSignal.abort(new Error("stop")) }), { message: "stop" });
  t.equal((await operator.depth()).deadLettered, 3);
});

t.test("what only looks like a record goes back as it is", async (t) => {
  const { operator, got, bury } = await aTopic(t);
  const strange = [
    "{}",
    "null",
    '{"requestPayload":{"Records":[]}}',
    '{"requestPayload":{"Records":[{"Sns":{}}]}}',
    "{",
  ];
  for (const body of strange) await bury(body);
  t.same(bodies(await operator.deadLetters(10)), [...strange].sort());
  t.same(await operator.redrive(), { moved: strange.length });
  await waitFor("what was published again", () => got.length === strange.length);
  t.same(bodies(got), [...strange].sort());
});
