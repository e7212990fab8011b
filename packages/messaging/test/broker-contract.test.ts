/** The contract of the Broker port, on every broker that needs no container. */

import t from "tap";
import { redisServer } from "../../../test/lib/redis-server.ts";
import { brokerContract } from "./contract/broker-contract.ts";
import { bullmqBrokersOn, memoryBroker, snsSqsBroker } from "./contract/brokers.ts";

const redis = await redisServer();
t.teardown(() => redis[Symbol.asyncDispose]());
const brokers = [memoryBroker(), await snsSqsBroker(), bullmqBrokersOn("bullmq", redis)];
t.teardown(() => Promise.all(brokers.map((broker) => broker.close())));

for (const under of brokers) {
  t.test(under.name, async (t) => brokerContract(t, under));
}
