/** Exactly one of queue and function is subscribed to the topic, whatever was subscribed before. */

import { randomUUID } from "node:crypto";
import {
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  SNSClient,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { type Broker, BrokerUnavailable, connectSnsSqs, functionTopology } from "../../src/index.ts";
import { emulatorAccess } from "./brokers.ts";

const message = { body: "hello", attributes: {} };

/** Adds the contract's tests to `t`. No function runs: only the subscriptions are looked at. */
export function topologyContract(t: Test, { endpoint }: { readonly endpoint: string }): void {
  const access = { ...emulatorAccess, endpoint };
  const sns = new SNSClient(access);
  t.teardown(() => sns.destroy());

  function aTopology() {
    const name = randomUUID();
    const options = {
      ...access,
      topic: `topic-${name}`,
      queue: `queue-${name}`,
      visibilitySeconds: 30,
      maxReceiveCount: 5,
    };
    const broker = (consumer: "workers" | "lambda"): Broker =>
      connectSnsSqs({ ...options, waitSeconds: 1, consumer });
    return { ...options, broker, functionArn: arnOf(`function-${name}`) };
  }

  async function subscribed(topic: string): Promise<string[]> {
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: topic }));
    const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    return Subscriptions.map(({ Protocol, Endpoint }) => `${Protocol} ${Endpoint?.split(":").at(-1)}`).sort();
  }

  t.test("a producer for a function publishes nothing until one is subscribed", async (t) => {
    const { broker, functionArn, topic, queue, ...options } = aTopology();
    await using producer = broker("lambda");
    await t.rejects(producer.prepare(), BrokerUnavailable);
    await t.rejects(producer.publish(message), BrokerUnavailable);
    await using topology = functionTopology({ ...options, topic, queue });
    t.match(await topology.deadLetterQueueArn(), new RegExp(`:${queue}-dlq$`));
    await topology.subscribe(functionArn);
    await producer.publish(message);
    t.same(await subscribed(topic), [`lambda ${functionArn.split(":").at(-1)}`]);
  });

  t.test("from workers to a function: the queue stays subscribed until the function is", async (t) => {
    const { broker, functionArn, topic, queue, ...options } = aTopology();
    await using before = broker("workers");
    await before.publish(message);
    await using after = broker("lambda");
    await t.rejects(after.prepare(), BrokerUnavailable);
    t.same(await subscribed(topic), [`sqs ${queue}`]);
    await using topology = functionTopology({ ...options, topic, queue });
    await topology.subscribe(functionArn);
    await topology.subscribe(functionArn);
    t.same(await subscribed(topic), [`lambda ${functionArn.split(":").at(-1)}`]);
    await after.prepare();
    await waitFor(
      "what was queued before to be there still",
      async () => (await after.depth()).visible === 1,
    );
  });

  t.test("a producer for a function takes a queue's subscription away", async (t) => {
    const { broker, functionArn, topic, queue } = aTopology();
    await using before = broker("workers");
    await before.prepare();
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: topic }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "lambda", Endpoint: functionArn }));
    t.same((await subscribed(topic)).length, 2);
    await using after = broker("lambda");
    await after.prepare();
    t.same(await subscribed(topic), [`lambda ${functionArn.split(":").at(-1)}`]);
    t.equal((await after.depth()).visible, 0, `${queue} is there all the same`);
  });

  t.test(
    "from a function back to workers: the queue alone is subscribed and gets what is published",
    async (t) => {
      const { broker, functionArn, topic, queue, ...options } = aTopology();
      await using topology = functionTopology({ ...options, topic, queue });
      await topology.subscribe(functionArn);
      await topology.subscribe(`${functionArn}-newer`);
      t.same(
        await subscribed(topic),
        [`lambda ${functionArn.split(":").at(-1)}-newer`],
        "the newer one alone",
      );
      await using after = broker("workers");
      await after.publish(message);
      t.same(await subscribed(topic), [`sqs ${queue}`]);
      await waitFor("the message", async () => (await after.depth()).visible === 1);
    },
  );
}

function arnOf(name: string): string {
  return `arn:aws:lambda:${emulatorAccess.region}:000000000000:function:${name}`;
}
