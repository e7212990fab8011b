/** The receiver as shipped, with validation, metrics and logs, on an in-memory broker. */

import { MemoryBroker } from "@parallax/messaging";
import { createLogger, createMetrics, listen } from "@parallax/service";
import { MemoryOrderStore } from "../../services/orders/src/adapters/memory-order-store.ts";
import { createReceiver } from "../../services/orders/src/receiver/app.ts";

const broker = new MemoryBroker({ capacity: 10_000_000 });

const receiver = createReceiver({
  broker,
  store: new MemoryOrderStore(),
  logger: createLogger({ name: "orders-receiver", level: "info" }),
  metrics: createMetrics("orders-receiver"),
  maxInFlight: 2000,
});
const server = await listen(receiver.callback, { host: "127.0.0.1", port: 0 });
console.log(server.url);
