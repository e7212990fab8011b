/**
 * A consumer in a process of its own, which tells its parent what happens: to be killed, or blocked by what it is given.
 * Arguments: Redis' URL, the queue, the visibility timeout in seconds.
 */

import { once } from "node:events";
import { connectBullmq } from "../../../src/index.ts";

export type Told =
  | { readonly what: "received"; readonly body: string; readonly receiveCount: number }
  | { readonly what: "signal"; readonly code: string }
  | { readonly what: "error"; readonly where: string; readonly message: string };

const [url = "", queue = "", visibilitySeconds] = process.argv.slice(2);
const tell = (told: Told) => process.send?.(told);

connectBullmq({ url, queue, visibilitySeconds: Number(visibilitySeconds), maxReceiveCount: 5 }).consume(
  async ({ body, receiveCount, signal }) => {
    tell({ what: "received", body, receiveCount });
    const [task, ms = "0"] = body.split(" ");
    if (task === "hold") return await new Promise(() => {});
    // What is told has to leave before the loop stands still.
    await new Promise(setImmediate);
    const until = performance.now() + Number(ms);
    while (performance.now() < until);
    if (task === "block") return;
    if (!signal.aborted) await once(signal, "abort");
    tell({ what: "signal", code: (signal.reason as { code: string }).code });
    signal.throwIfAborted();
  },
  {
    concurrency: 10,
    onError: (error, where) => tell({ what: "error", where, message: (error as Error).message }),
  },
);
