/** The contracts of the broker and of its SNS→SQS adapter on a LocalStack container. */

import t from "tap";
import { brokerContract } from "../../packages/messaging/test/contract/broker-contract.ts";
import { brokersOn } from "../../packages/messaging/test/contract/brokers.ts";
import { snsSqsContract } from "../../packages/messaging/test/contract/sns-sqs-contract.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { localstack } from "../lib/emulators.ts";

const suite = await ContainerSuite.open(t);
const emulator = await localstack(suite);

brokerContract(t, brokersOn("LocalStack", emulator));
snsSqsContract(t, emulator, { restarts: 2 });
