/** The receiver as shipped, with validation, metrics and logs, on an in-memory broker. */

import { MemoryBroker } from "@parallax/messaging";
import { listen } from "@parallax/service";
import { benchReceiver } from "./bench-receiver.ts";

const broker = new MemoryBroker({ capacity: 10_000_000 });
const server = await listen(benchReceiver(broker).callback, { host: "127.0.0.1", port: 0 });
console.log(server.url);
