/** What the contracts are checked on: brokers, each opened with a topic and queues of its own, and emulators behind them. */

import { randomUUID } from "node:crypto";
import { type Emulator, startEmulator } from "@parallax/emulator";
import { waitFor } from "@parallax/testkit";
import { type Broker, connectBullmq, connectSnsSqs, MemoryBroker } from "../../src/index.ts";

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

/** SNS and SQS that keep nothing, to be stopped and started again at the same address. */
export interface EmulatorUnderTest {
  readonly endpoint: string;
  stop(): Promise<void>;
  /** Resolves when it answers. */
  start(): Promise<void>;
}

export function memoryBroker(): BrokerUnderTest {
  return { name: "memory", open: async (limits) => new MemoryBroker(limits), close: async () => {} };
}

export async function snsSqsBroker(): Promise<BrokerUnderTest> {
  const emulator = await startEmulator();
  return { ...brokersOn("sns-sqs on fauxqs", emulator), close: () => emulator.stop() };
}

/** Brokers on an emulator that somebody else stops. */
export function brokersOn(name: string, emulator: Pick<Emulator, "endpoint">): BrokerUnderTest {
  return {
    name,
    async open(limits) {
      const broker = connectTo(emulator, limits);
      // LocalStack loads what it has for SQS when it is first asked, which may take longer than a call's patience.
      await waitFor("topic and queue", () => broker.prepare().then(() => true), 60_000);
      return broker;
    },
    close: async () => {},
  };
}

/** Brokers on a Redis that somebody else stops. */
export function bullmqBrokersOn(name: string, { url }: { readonly url: string }): BrokerUnderTest {
  return {
    name,
    async open(limits) {
      const broker = connectBullmq({ url, queue: `queue-${randomUUID()}`, ...limits });
      await broker.prepare();
      return broker;
    },
    close: async () => {},
  };
}

/** fauxqs in this process. */
export async function embeddedEmulator(): Promise<EmulatorUnderTest> {
  let running: Emulator = await startEmulator();
  const { endpoint, port } = running;
  return {
    endpoint,
    stop: () => running.stop(),
    async start() {
      running = await startEmulator({ port });
    },
  };
}

export const emulatorAccess = {
  region: "us-west-2",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
};

export function connectTo(emulator: Pick<Emulator, "endpoint">, limits: Limits, name?: string): Broker {
  const suffix = name ?? randomUUID();
  return connectSnsSqs({
    ...emulatorAccess,
    endpoint: emulator.endpoint,
    topic: `topic-${suffix}`,
    queue: `queue-${suffix}`,
    waitSeconds: 1,
    ...limits,
  });
}
