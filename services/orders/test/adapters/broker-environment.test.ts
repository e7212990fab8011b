/** The broker that the environment names. */

import { ConfigError } from "@parallax/service";
import t from "tap";
import { connectBroker } from "../../src/adapters/broker-environment.ts";
import { processorConfig } from "../../src/processor/config.ts";
import { receiverConfig } from "../../src/receiver/config.ts";

const environment = { DATABASE_URL: "postgres://u@h/d", PAYMENTS_URL: "http://payments:8090" };

t.test("BROKER decides, and opens no connection by itself", async (t) => {
  await using sns = connectBroker(receiverConfig(environment));
  t.equal(sns.kind, "sns-sqs");
  const bullmq = { ...environment, BROKER: "bullmq", REDIS_URL: "redis://127.0.0.1:1" };
  for (const config of [receiverConfig(bullmq), processorConfig(bullmq)]) {
    await using broker = connectBroker(config);
    t.equal(broker.kind, "bullmq");
  }
});

t.test("BullMQ without a Redis is one of the problems, not the only one that is told", async (t) => {
  for (const configure of [receiverConfig, processorConfig]) {
    const error = t.throws(() => configure({ BROKER: "bullmq", MAX_RECEIVE_COUNT: "many" })) as unknown;
    t.type(error, ConfigError);
    const { problems } = error as ConfigError;
    t.match(problems.join("\n"), /REDIS_URL: must be set with BROKER=bullmq/);
    t.match(problems.join("\n"), /MAX_RECEIVE_COUNT.*whole number/);
    t.match(problems.join("\n"), /DATABASE_URL/);
  }
  t.doesNotThrow(() => receiverConfig(environment), "SNS and SQS need none");
  t.throws(() => receiverConfig({ ...environment, BROKER: "kafka" }), { message: /BROKER/ });
});

t.test("who consumes is the receiver's to know", async (t) => {
  t.equal(receiverConfig(environment).CONSUMER, "workers");
  t.equal(receiverConfig({ ...environment, CONSUMER: "lambda" }).CONSUMER, "lambda");
  t.throws(() => receiverConfig({ ...environment, CONSUMER: "both" }), { message: /CONSUMER/ });
});

t.test("a function with BullMQ is one of the problems, not the only one that is told", async (t) => {
  const bullmq = { ...environment, BROKER: "bullmq", REDIS_URL: "redis://127.0.0.1:1" };
  t.equal(receiverConfig({ ...bullmq, CONSUMER: "workers" }).CONSUMER, "workers");
  const wrong = { ...bullmq, CONSUMER: "lambda", PORT: "http" };
  const { problems } = t.throws(() => receiverConfig(wrong)) as unknown as ConfigError;
  t.match(problems.toSorted(), [/^CONSUMER: lambda needs BROKER=sns-sqs/, /^PORT/]);
});
