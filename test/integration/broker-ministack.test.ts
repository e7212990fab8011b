/** The contracts of the broker and of its SNS→SQS adapter on a MiniStack container. */

import t from "tap";
import { brokerContract } from "../../packages/messaging/test/contract/broker-contract.ts";
import { brokersOn } from "../../packages/messaging/test/contract/brokers.ts";
import { snsSqsContract } from "../../packages/messaging/test/contract/sns-sqs-contract.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { ministack } from "../lib/emulators.ts";

const suite = await ContainerSuite.open(t);
const emulator = await ministack(suite);

brokerContract(t, brokersOn("MiniStack", emulator));
snsSqsContract(t, emulator, { restarts: 2 });
