/** What is made of a server that does not start a task to move dead letters. */

import { GetQueueAttributesCommand, type SQSClient, StartMessageMoveTaskCommand } from "@aws-sdk/client-sqs";
import t from "tap";
import { BrokerUnavailable } from "../../src/index.ts";
import { redriveSqs } from "../../src/sns-sqs/redrive.ts";

const queues = { queueUrl: "http://sqs/queue", deadLetterQueueUrl: "http://sqs/dead" };
const named = (name: string, message: string) => Object.assign(new Error(message), { name });
const running = named(
  "UnsupportedOperation",
  "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
);
const unknown = named("UnsupportedOperation", "The action StartMessageMoveTask is not supported");

/** A server with empty queues that refuses to start a task. */
function serverThat(refuses: Error, endpoint?: string) {
  const sent: string[] = [];
  const client = {
    config: { ...(endpoint && { endpoint }) },
    async send(command: object) {
      sent.push(command.constructor.name);
      if (command instanceof StartMessageMoveTaskCommand) throw refuses;
      if (!(command instanceof GetQueueAttributesCommand))
        t.fail(`${command.constructor.name} is not needed`);
      const none = { ApproximateNumberOfMessages: "0", ApproximateNumberOfMessagesNotVisible: "0" };
      return { Attributes: { QueueArn: "arn", ApproximateNumberOfMessagesDelayed: "0", ...none } };
    },
  };
  return { client: client as unknown as SQSClient, sent };
}

t.test("a task that is running already is told, and nothing is moved beside it", async (t) => {
  for (const endpoint of [undefined, "http://emulator"]) {
    const { client, sent } = serverThat(running, endpoint);
    const error = await redriveSqs(client, queues).catch((error: unknown) => error);
    t.type(error, BrokerUnavailable);
    t.match(error, { message: /moving these dead letters already/, cause: running });
    t.equal(sent.at(-1), "StartMessageMoveTaskCommand", "that was the end of it");
  }
});

t.test("a server that has no such task: they are moved by hand", async (t) => {
  for (const refusal of [unknown, named("InvalidAction", "no such action")]) {
    const { client, sent } = serverThat(refusal, "http://emulator");
    t.same(await redriveSqs(client, queues), { moved: 0 });
    t.equal(sent.at(-1), "GetQueueAttributesCommand", "they were counted");
  }
});

t.test("AWS has such tasks: what it does not support is an error", async (t) => {
  const { client } = serverThat(unknown);
  await t.rejects(redriveSqs(client, queues), unknown);
});
