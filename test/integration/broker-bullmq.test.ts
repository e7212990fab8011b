/** The contracts of the broker and of its BullMQ adapter on a Redis container. */

import t from "tap";
import { brokerContract } from "../../packages/messaging/test/contract/broker-contract.ts";
import { bullmqBrokersOn } from "../../packages/messaging/test/contract/brokers.ts";
import { bullmqContract } from "../../packages/messaging/test/contract/bullmq-contract.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { labDefinition } from "../lib/lab-definitions.ts";

const suite = await ContainerSuite.open(t);
const definition = await labDefinition("redis");
// What it acknowledges is on disk; the lab's own setting may lose the last moments when the disk is busy.
const command = [...(definition.command ?? []), "--appendfsync", "always"];
const container = await suite.run("redis", definition, { command });
const redis = {
  url: `redis://127.0.0.1:${container.port(6379)}`,
  kill: () => container.kill(),
  start: () => container.start(),
};

brokerContract(t, bullmqBrokersOn("BullMQ", redis));
bullmqContract(t, redis);
