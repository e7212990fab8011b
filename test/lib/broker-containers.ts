/** What carries the orders pipeline's queue, as a container of a suite: an emulator of AWS, or Redis. */

import {
  type Broker,
  bullmqOperator,
  connectBullmq,
  connectSnsSqs,
  type QueueOperator,
  sqsOperator,
} from "@parallax/messaging";
import type { BrokerName } from "../../lab/src/settings.ts";
import { emulatorAccess } from "../../packages/messaging/test/contract/brokers.ts";
import type { ContainerSuite, RunningContainer } from "./containers.ts";
import type { EmulatorContainer } from "./emulators.ts";
import { labDefinition } from "./lab-definitions.ts";

export interface Limits {
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
}

export interface BrokerContainer {
  readonly name: BrokerName;
  readonly container: RunningContainer;
  /** To publish what the receiver would refuse. */
  connect(limits: Limits): Broker;
  operate(): QueueOperator;
}

const topic = "order-processing-events";
const queue = "order-processing-queue";

export function snsSqsOn({ container, endpoint }: EmulatorContainer): BrokerContainer {
  const access = { ...emulatorAccess, endpoint };
  return {
    name: "sns-sqs",
    container,
    connect: (limits) => connectSnsSqs({ ...access, ...limits, topic, queue, waitSeconds: 1 }),
    operate: () => sqsOperator({ ...access, queue }),
  };
}

/** With its data in a volume, which a kill leaves. */
export async function bullmqOnRedis(suite: ContainerSuite): Promise<BrokerContainer> {
  const container = await suite.run("redis", await labDefinition("redis"));
  const url = `redis://127.0.0.1:${container.port(6379)}`;
  return {
    name: "bullmq",
    container,
    connect: (limits) => connectBullmq({ ...limits, url, queue }),
    operate: () => bullmqOperator({ url, queue }),
  };
}
