/** Messages that share a publish: each has its own outcome, and none is too much for the others. */

import { randomUUID } from "node:crypto";
import {
  CreateTopicCommand,
  DeleteTopicCommand,
  type PublishBatchCommand,
  SNSClient,
} from "@aws-sdk/client-sns";
import { startEmulator } from "@parallax/emulator";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { BrokerUnavailable } from "../../src/index.ts";
import { publishTogether } from "../../src/sns-sqs/publish.ts";
import { connectTo, emulatorAccess } from "../contract/brokers.ts";

const LIMITS = { visibilitySeconds: 30, maxReceiveCount: 5 };
const KIB = 1024;
const message = (name: string, size = 0) => ({
  body: `${name} ${"x".repeat(size)}`,
  attributes: { traceparent: name },
});

const emulator = await startEmulator();
t.teardown(() => emulator.stop());

t.test(
  "twenty-three at once arrive once each, the large among them too; one too large is refused alone",
  async (t) => {
    await using broker = connectTo(emulator, LIMITS, randomUUID());
    const got: string[] = [];
    const consumer = broker.consume(
      async ({ body, attributes }) => {
        t.equal(attributes.traceparent, body.split(" ")[0]);
        got.push(attributes.traceparent ?? "");
      },
      { concurrency: 10 },
    );
    t.teardown(() => consumer.stop(0));
    const sizes = Array.from({ length: 23 }, (_, n) => (n % 4 === 0 ? 100 * KIB : n === 9 ? 257 * KIB : 10));
    const ends = await Promise.allSettled(sizes.map((size, n) => broker.publish(message(`m${n}`, size))));
    const refused = ends.flatMap((end, n) => (end.status === "rejected" ? [[n, end.reason]] : []));
    t.match(refused, [[9, BrokerUnavailable]]);
    const expected = sizes.flatMap((_, n) => (n === 9 ? [] : [`m${n}`]));
    await waitFor("the other twenty-two", () => got.length === 22);
    t.same(new Set(got), new Set(expected));
  },
);

t.test("an entry that SNS refuses fails with SNS's reason, the others are published", async (t) => {
  const sent: PublishBatchCommand["input"][] = [];
  const Failed = [{ Id: "1", Code: "InternalError", Message: "try again", SenderFault: false }];
  const client = clientThat(async ({ input }) => {
    sent.push(input);
    return { Successful: [{ Id: "0" }], Failed };
  });
  const [one, two, three] = [message("one"), message("two"), message("three")];
  const refused = await publishTogether(client, "arn", [one, two, three]);
  t.equal(sent.length, 1, "in one call");
  t.same([...refused.keys()], [two, three], "what is not mentioned is not acknowledged");
  t.match(refused.get(two), { message: "try again", code: "InternalError" });
});

t.test(
  "a part that fails says nothing of the others; if nothing went through, it is the call that failed",
  async (t) => {
    const down = new Error("down");
    const large = message("large", 200 * KIB);
    const small = message("small", 100 * KIB);
    const half = clientThat(async ({ input }) => {
      if (JSON.stringify(input).includes("large")) throw down;
      return {};
    });
    t.same(await publishTogether(half, "arn", [large, small]), new Map([[large, down]]));
    const none = clientThat(() => Promise.reject(down));
    await t.rejects(publishTogether(none, "arn", [message("one"), message("two")]), down);
  },
);

t.test("a topic that every part misses is the call's failure, so that it can be made again", async (t) => {
  const missing = Object.assign(new Error("Topic does not exist"), { name: "NotFoundException" });
  const tooLarge = Object.assign(new Error("Message too long"), { name: "InvalidParameter" });
  const [large, huge] = [message("large", 200 * KIB), message("huge", 300 * KIB)];
  const gone = clientThat(async ({ input }) => {
    throw JSON.stringify(input).includes("huge") ? tooLarge : missing;
  });
  await t.rejects(publishTogether(gone, "arn", [large, message("more", 100 * KIB)]), missing);
  await t.rejects(
    publishTogether(gone, "arn", [huge, large]),
    missing,
    "whatever is wrong with another part",
  );
});

t.test("a topic that is gone: a batch of several parts makes the topic again", async (t) => {
  const name = randomUUID();
  await using broker = connectTo(emulator, LIMITS, name);
  await broker.prepare();
  const sns = new SNSClient({ ...emulatorAccess, endpoint: emulator.endpoint });
  t.teardown(() => sns.destroy());
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `topic-${name}` }));
  await sns.send(new DeleteTopicCommand({ TopicArn }));
  await Promise.all([broker.publish(message("m1", 200 * KIB)), broker.publish(message("m2", 200 * KIB))]);
  await waitFor("both", async () => (await broker.depth()).visible === 2);
});

function clientThat(send: (command: PublishBatchCommand) => Promise<object>): SNSClient {
  return { send } as unknown as SNSClient;
}
