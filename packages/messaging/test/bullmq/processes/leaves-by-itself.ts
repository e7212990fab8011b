/** Uses a broker in every way and closes it: a process with nothing left to do ends by itself. Arguments: Redis' URL, the queue. */

import { connectBullmq } from "../../../src/index.ts";

const [url = "", queue = ""] = process.argv.slice(2);
const broker = connectBullmq({ url, queue, visibilitySeconds: 30, maxReceiveCount: 5 });
await broker.prepare();
const got = Promise.withResolvers<string>();
const consumer = broker.consume(async ({ body }) => got.resolve(body), { concurrency: 3 });
await broker.publish({ body: "hello", attributes: {} });
console.log(await got.promise);
await broker.depth();
await consumer.stop(1000);
await broker[Symbol.asyncDispose]();
