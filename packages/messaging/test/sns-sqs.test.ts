/** What only the SNS→SQS adapter does: outages, a broker that comes back empty, topology made twice at once. */

import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startEmulator } from "@parallax/emulator";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { BrokerUnavailable } from "../src/index.ts";
import { connectTo } from "./brokers.ts";

const LIMITS = { visibilitySeconds: 30, maxReceiveCount: 5 };
const message = { body: "hello", attributes: {} };

t.test("a broker that is not there is BrokerUnavailable, with its cause", async (t) => {
  const emulator = await startEmulator();
  await emulator.stop();
  await using broker = connectTo(emulator, LIMITS);
  for (const call of [() => broker.prepare(), () => broker.publish(message), () => broker.check()]) {
    const error = await call().then(
      () => undefined,
      (error: unknown) => error,
    );
    t.type(error, BrokerUnavailable);
    t.match(error, { retryable: true, message: /ECONNREFUSED/, cause: { code: "ECONNREFUSED" } });
  }
});

t.test("a broker that comes back empty gets its topology again, and the consumer goes on", async (t) => {
  const first = await startEmulator();
  await using broker = connectTo(first, LIMITS);
  const got: string[] = [];
  const errors: string[] = [];
  const consumer = broker.consume(async ({ body }) => void got.push(body), {
    concurrency: 3,
    onError: (_error, what) => errors.push(what),
  });
  t.teardown(() => consumer.stop(0));
  await broker.publish(message);
  await waitFor("the first message", () => got.length === 1);
  await first.stop();
  await waitFor("the outage to be seen", () => errors.includes("receive"));
  await using _second = await startEmulator({ port: first.port });
  await waitFor("a publish after the restart", () => broker.publish(message).then(() => true as const));
  await waitFor("the message after the restart", () => got.length === 2);
});

t.test(
  "what is acknowledged after a restart of the broker is delivered, however many publish at once",
  async (t) => {
    let emulator = await startEmulator();
    t.teardown(() => emulator.stop());
    await using producer = connectTo(emulator, LIMITS, "restarted");
    await using processor = connectTo(emulator, LIMITS, "restarted");
    await producer.prepare();
    const got = new Set<string>();
    const consumer = processor.consume(async ({ body }) => void got.add(body), { concurrency: 20 });
    t.teardown(() => consumer.stop(0));
    for (let round = 0; round < 5; round += 1) {
      await emulator.stop();
      emulator = await startEmulator({ port: emulator.port });
      const acknowledged: string[] = [];
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const body = `${round}-${n}`;
          await producer.publish({ body, attributes: {} }).then(
            () => acknowledged.push(body),
            () => {},
          );
        }),
      );
      t.ok(acknowledged.length > 0, "some were acknowledged");
      await waitFor("every acknowledged message", () => acknowledged.every((body) => got.has(body)));
    }
  },
);

t.test("two services that start together make one topology", async (t) => {
  await using emulator = await startEmulator();
  await using one = connectTo(emulator, LIMITS, "shared");
  await using two = connectTo(emulator, LIMITS, "shared");
  await Promise.all([one.prepare(), two.prepare()]);
  const got: string[] = [];
  const consumer = two.consume(async ({ id }) => void got.push(id), { concurrency: 5 });
  t.teardown(() => consumer.stop(0));
  await Promise.all(Array.from({ length: 10 }, () => one.publish(message)));
  await waitFor("ten deliveries", () => got.length === 10);
  await waitFor("an empty queue", async () => (await one.depth()).inFlight === 0);
  t.equal(new Set(got).size, 10, "subscribed once: nothing arrives twice");
});

t.test(
  "the queues have the retention, visibility, policy and redrive that the specification asks for",
  async (t) => {
    await using emulator = await startEmulator();
    await using broker = connectTo(emulator, LIMITS, "attributes");
    await broker.prepare();
    const sqs = new SQSClient({
      region: "us-west-2",
      endpoint: emulator.endpoint,
      useQueueUrlAsEndpoint: false,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    t.teardown(() => sqs.destroy());
    const attributes = async (name: string) => {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
      return answer.Attributes ?? {};
    };
    const queue = await attributes("queue-attributes");
    t.match(queue, { VisibilityTimeout: "30", MessageRetentionPeriod: "345600" });
    t.match(JSON.parse(queue.RedrivePolicy ?? "{}"), {
      maxReceiveCount: "5",
      deadLetterTargetArn: /queue-attributes-dlq$/,
    });
    t.match(JSON.parse(queue.Policy ?? "{}"), { Statement: [{ Action: "sqs:SendMessage" }] });
    t.match(await attributes("queue-attributes-dlq"), { MessageRetentionPeriod: "1209600" });
  },
);
