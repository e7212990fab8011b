/** Exactly one of queue and function is subscribed to the topic, on the emulators of the lab in containers. */

import t from "tap";
import { topologyContract } from "../../packages/messaging/test/contract/topology-contract.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { localstack, ministack } from "../lib/emulators.ts";

const [onLocalstack, onMinistack] = await Promise.all([
  ContainerSuite.open(t).then(localstack),
  ContainerSuite.open(t).then((suite) => ministack(suite)),
]);

t.test("MiniStack", async (t) => topologyContract(t, onMinistack));
t.test("LocalStack", async (t) => topologyContract(t, onLocalstack));
