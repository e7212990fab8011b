/** Which broker the services use, asked of the running receiver. */
import t from "tap";
import { LabError } from "../../../src/cli/lab-error.ts";
import { brokerAccess, ordersWiring } from "../../../src/systems/orders/order-queue.ts";

/** A lab whose receiver has these variables. */
function labWith(variables: Record<string, string>) {
  return {
    endpoint: (part: string) => `http://127.0.0.1/${part}`,
    async variables(service: string, names: readonly string[]) {
      if (service !== "orders-receiver") throw new LabError("NO_SUCH_PART", service);
      return Object.fromEntries(Object.entries(variables).filter(([name]) => names.includes(name)));
    },
  };
}

const aws = {
  AWS_ENDPOINT_URL: "http://emulator:4566",
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
};

t.test(
  "SNS and SQS: the emulator as this machine reaches it, with the services' region and credentials",
  async (t) => {
    t.same(await brokerAccess(labWith({ ...aws, ORDERS_QUEUE: "q", DATABASE_URL: "not asked for" })), {
      kind: "sns-sqs",
      region: "eu-central-1",
      endpoint: "http://127.0.0.1/emulator",
      credentials: { accessKeyId: "id", secretAccessKey: "secret" },
      queue: "q",
    });
  },
);

t.test("without an endpoint it is AWS itself, with credentials that the SDK finds", async (t) => {
  const access = await brokerAccess(labWith({ AWS_REGION: "eu-central-1" }));
  t.match(access, { kind: "sns-sqs", queue: "order-processing-queue" });
  t.match(access, { endpoint: undefined, credentials: undefined });
});

t.test("where a function takes the orders, dead letters belong to its topic", async (t) => {
  const access = await brokerAccess(labWith({ ...aws, CONSUMER: "lambda", ORDERS_TOPIC: "topic" }));
  t.match(access, { kind: "sns-sqs", functionTopic: "topic" });
  t.notHas(await brokerAccess(labWith({ ...aws, ORDERS_TOPIC: "topic" })), "functionTopic");
});

t.test("a receiver that was switched to BullMQ is believed, whatever else it still has", async (t) => {
  const lab = labWith({ ...aws, BROKER: "bullmq", REDIS_URL: "redis://redis:6379" });
  t.same(await brokerAccess(lab), {
    kind: "bullmq",
    url: "http://127.0.0.1/redis",
    queue: "order-processing-queue",
  });
});

t.test("what a receiver is not told is as its own configuration says", async (t) => {
  t.same(await ordersWiring(labWith({})), { broker: "sns-sqs", consumer: "workers" });
  t.same(await ordersWiring(labWith({ CONSUMER: "lambda" })), { broker: "sns-sqs", consumer: "lambda" });
});

t.test("a lab that is down is not a lab with defaults", async (t) => {
  const lab = {
    endpoint: () => "",
    variables: async () => {
      throw new LabError("NOT_RUNNING", "The lab is not running.");
    },
  };
  await t.rejects(brokerAccess(lab), { code: "NOT_RUNNING" });
});

t.test("a lab without orders is told so", async (t) => {
  const lab = {
    endpoint: () => "",
    variables: (part: string) => Promise.reject(new LabError("NO_SUCH_PART", part)),
  };
  await t.rejects(brokerAccess(lab), { code: "NO_SUCH_PART", remedy: /PROFILE=orders/ });
});
