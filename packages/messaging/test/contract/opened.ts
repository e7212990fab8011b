/** What the parts of the broker's contract share: a broker of the test's own, and messages to tell apart. */

import type { Test } from "tap";
import type { Broker } from "../../src/index.ts";
import type { BrokerUnderTest } from "./brokers.ts";

const LIMITS = { visibilitySeconds: 30, maxReceiveCount: 3 };

export const message = (body: string) => ({ body, attributes: { traceparent: `trace of ${body}` } });

export async function empty(broker: Broker): Promise<true | undefined> {
  const { visible, inFlight, delayed } = await broker.depth();
  return visible + inFlight + delayed === 0 || undefined;
}

export async function open(t: Test, under: BrokerUnderTest, limits = LIMITS): Promise<Broker> {
  const broker = await under.open(limits);
  t.teardown(() => broker[Symbol.asyncDispose]());
  return broker;
}
