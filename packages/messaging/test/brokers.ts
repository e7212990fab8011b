/** The brokers that the contract is checked on, each with a topic and queues of its own. */

import { randomUUID } from "node:crypto";
import { type Emulator, startEmulator } from "@parallax/emulator";
import { type Broker, connectSnsSqs, MemoryBroker } from "../src/index.ts";

export interface Limits {
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
}

export interface BrokerUnderTest {
  readonly name: string;
  /** Whole seconds, as SQS has them. */
  open(limits: Limits): Promise<Broker>;
  close(): Promise<void>;
}

export function memoryBroker(): BrokerUnderTest {
  return { name: "memory", open: async (limits) => new MemoryBroker(limits), close: async () => {} };
}

export async function snsSqsBroker(): Promise<BrokerUnderTest> {
  const emulator = await startEmulator();
  return {
    name: "sns-sqs on fauxqs",
    async open(limits) {
      const broker = connectTo(emulator, limits);
      await broker.prepare();
      return broker;
    },
    close: () => emulator.stop(),
  };
}

export function connectTo(emulator: Pick<Emulator, "endpoint">, limits: Limits, name?: string): Broker {
  const suffix = name ?? randomUUID();
  return connectSnsSqs({
    region: "us-west-2",
    endpoint: emulator.endpoint,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    topic: `topic-${suffix}`,
    queue: `queue-${suffix}`,
    waitSeconds: 1,
    ...limits,
  });
}
