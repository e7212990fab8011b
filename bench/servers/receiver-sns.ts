/**
 * The receiver as shipped on SNS and SQS. Arguments: the emulator's URL; `together` or `each` for how it publishes.
 */

import { randomUUID } from "node:crypto";
import { connectSnsSqs } from "@parallax/messaging";
import { listen } from "@parallax/service";
import { benchReceiver } from "./bench-receiver.ts";

const [endpoint = "", publishing] = process.argv.slice(2);
const name = randomUUID();
const broker = connectSnsSqs({
  region: "us-west-2",
  endpoint,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  topic: `topic-${name}`,
  queue: `queue-${name}`,
  visibilitySeconds: 30,
  maxReceiveCount: 5,
  waitSeconds: 1,
  publishTogether: publishing === "together",
});
await broker.prepare();
const server = await listen(benchReceiver(broker).callback, { host: "127.0.0.1", port: 0 });
console.log(server.url);
