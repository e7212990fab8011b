/** What only the SNS→SQS adapter does, on the emulator that needs no container. */

import t from "tap";
import { embeddedEmulator } from "./contract/brokers.ts";
import { snsSqsContract } from "./contract/sns-sqs-contract.ts";

const emulator = await embeddedEmulator();
t.teardown(() => emulator.stop());

snsSqsContract(t, emulator, { restarts: 5 });
