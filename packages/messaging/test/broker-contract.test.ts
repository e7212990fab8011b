/** The contract of the Broker port, on every broker that needs no container. */

import t from "tap";
import { brokerContract } from "./contract/broker-contract.ts";
import { memoryBroker, snsSqsBroker } from "./contract/brokers.ts";

const brokers = [memoryBroker(), await snsSqsBroker()];
t.teardown(() => Promise.all(brokers.map((broker) => broker.close())));

for (const under of brokers) {
  t.test(under.name, async (t) => brokerContract(t, under));
}
