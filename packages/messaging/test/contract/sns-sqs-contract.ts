/** What only the SNS→SQS adapter does: outages, a broker that comes back empty, topology made twice at once. */

import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { BrokerUnavailable } from "../../src/index.ts";
import { connectTo, type EmulatorUnderTest, emulatorAccess } from "./brokers.ts";

const LIMITS = { visibilitySeconds: 30, maxReceiveCount: 5 };
/** More than the visibility timeout, where a poll that was cut off may have taken messages along. */
const PATIENCE_MS = 45_000;
const message = { body: "hello", attributes: {} };

export interface SnsSqsContractOptions {
  /** How often the emulator is restarted under load. */
  readonly restarts: number;
}

/** Adds the contract's tests to `t`, one subtest each. The emulator runs before and after. */
export function snsSqsContract(
  t: Test,
  emulator: EmulatorUnderTest,
  { restarts }: SnsSqsContractOptions,
): void {
  async function attributes(name: string): Promise<Record<string, string>> {
    const sqs = new SQSClient({
      ...emulatorAccess,
      endpoint: emulator.endpoint,
      useQueueUrlAsEndpoint: false,
    });
    try {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
      return answer.Attributes ?? {};
    } finally {
      sqs.destroy();
    }
  }

  t.test("two services that start together make one topology", async (t) => {
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

  t.test("the queues have the retention, visibility, policy and redrive that are asked for", async (t) => {
    await using broker = connectTo(emulator, LIMITS, "attributes");
    await broker.prepare();
    const queue = await attributes("queue-attributes");
    t.match(queue, { VisibilityTimeout: "30", MessageRetentionPeriod: "345600" });
    const redrive = JSON.parse(queue.RedrivePolicy ?? "{}");
    t.equal(Number(redrive.maxReceiveCount), 5);
    t.match(redrive.deadLetterTargetArn, /queue-attributes-dlq$/);
    t.match(JSON.parse(queue.Policy ?? "{}"), { Statement: [{ Action: "sqs:SendMessage" }] });
    t.match(await attributes("queue-attributes-dlq"), { MessageRetentionPeriod: "1209600" });
  });

  t.test(
    "a queue that was made with other settings takes on the new ones and keeps its messages",
    async (t) => {
      await using before = connectTo(emulator, LIMITS, "adapted");
      await before.publish(message);
      await using after = connectTo(emulator, { visibilitySeconds: 7, maxReceiveCount: 3 }, "adapted");
      await Promise.all([after.prepare(), after.prepare()]);
      const queue = await attributes("queue-adapted");
      t.match(queue, { VisibilityTimeout: "7", MessageRetentionPeriod: "345600" });
      t.equal(Number(JSON.parse(queue.RedrivePolicy ?? "{}").maxReceiveCount), 3);
      t.match(JSON.parse(queue.Policy ?? "{}"), { Statement: [{ Action: "sqs:SendMessage" }] });
      const got: string[] = [];
      const consumer = after.consume(async ({ body }) => void got.push(body), { concurrency: 1 });
      t.teardown(() => consumer.stop(0));
      await waitFor("the message from before", () => got.length === 1);
    },
  );

  t.test("a broker that is not there is BrokerUnavailable, with its cause", async (t) => {
    await emulator.stop();
    t.teardown(() => emulator.start());
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
    await using broker = connectTo(emulator, LIMITS);
    const got: string[] = [];
    const errors: string[] = [];
    const consumer = broker.consume(async ({ body }) => void got.push(body), {
      concurrency: 3,
      onError: (_error, what) => errors.push(what),
    });
    t.teardown(() => consumer.stop(0));
    await broker.publish(message);
    await waitFor("the first message", () => got.length === 1);
    await emulator.stop();
    await waitFor("the outage to be seen", () => errors.includes("receive"));
    await emulator.start();
    await waitFor("a publish after the restart", () => broker.publish(message).then(() => true as const));
    await waitFor("the message after the restart", () => got.length === 2);
  });

  t.test(
    "what is acknowledged after a restart of the broker is delivered, however many publish at once",
    async (t) => {
      await using producer = connectTo(emulator, LIMITS, "restarted");
      await using processor = connectTo(emulator, LIMITS, "restarted");
      await producer.prepare();
      const got = new Set<string>();
      const consumer = processor.consume(async ({ body }) => void got.add(body), { concurrency: 20 });
      t.teardown(() => consumer.stop(0));
      for (let round = 0; round < restarts; round += 1) {
        await emulator.stop();
        await emulator.start();
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
        const delivered = () => acknowledged.every((body) => got.has(body));
        await waitFor("every acknowledged message", delivered, PATIENCE_MS);
      }
    },
  );
}
