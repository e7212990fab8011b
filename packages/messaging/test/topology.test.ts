/** Exactly one of queue and function is subscribed, on the emulator that needs no container. */

import t from "tap";
import { embeddedEmulator } from "./contract/brokers.ts";
import { topologyContract } from "./contract/topology-contract.ts";

const emulator = await embeddedEmulator();
t.teardown(() => emulator.stop());

topologyContract(t, emulator);
