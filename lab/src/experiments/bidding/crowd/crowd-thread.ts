/** The thread of a crowd. In a thread of its own, so that the lab's other work does not delay what is timed here. */

import { parentPort, workerData } from "node:worker_threads";
import { encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { messageOf } from "../../../cli/lab-error.ts";
import { Watchers } from "../watchers.ts";
import { Deliveries } from "./deliveries.ts";
import type { CrowdAnswer, CrowdPlan, CrowdRequest } from "./messages.ts";
import { Stalled } from "./stalled.ts";

const TELL_MS = 250;

const port = parentPort;
if (!port) throw new Error("A crowd is gathered in a thread.");
const plan = workerData as CrowdPlan;
const tell = (answer: CrowdAnswer) => port.postMessage(answer);

const deliveries = new Deliveries();
const stalled: Stalled[] = [];

const watchers = await Watchers.connect({
  url: plan.url,
  auctionId: plan.auctionId,
  count: plan.watchers,
  // The thread is ended from outside.
  signal: new AbortController().signal,
  onMessage({ type, at }, receivedAt) {
    if (type === "price" && at !== undefined) deliveries.add(receivedAt, at);
  },
}).catch((error: unknown) => {
  tell({ tell: "failed", reason: messageOf(error) });
  return undefined;
});
if (watchers) await attend(watchers);

async function attend(crowd: Watchers): Promise<void> {
  try {
    const path = `/auctions/${encodeURIComponent(plan.auctionId)}/live`;
    for (let count = 0; count < plan.stalled; count += 1) {
      stalled.push(await Stalled.connect(new URL(path, plan.url).href));
    }
  } catch (error) {
    tell({ tell: "failed", reason: messageOf(error) });
    return;
  }
  setInterval(() => tellNow(crowd), TELL_MS);
  port?.on("message", ({ from, to }: CrowdRequest) => {
    const ways = deliveries.between(from, to);
    tell({
      tell: "report",
      seen: crowd.seen(),
      prices: ways.totalCount,
      latencies: ways.totalCount > 0 ? encodeIntoCompressedBase64(ways) : undefined,
      cutOffMs: stalled.flatMap(({ cutOffMs }) => cutOffMs ?? []),
    });
  });
  tellNow(crowd);
  tell({ tell: "gathered" });
}

function tellNow(crowd: Watchers): void {
  const { watchers } = crowd.seen();
  const connected = watchers.filter((each) => each.connected);
  tell({
    tell: "now",
    connected: connected.length,
    slowest: connected.reduce<number | undefined>(
      (least, { seq = 0 }) => (least === undefined ? seq : Math.min(least, seq)),
      undefined,
    ),
    messages: watchers.reduce((sum, { messages }) => sum + messages, 0),
    stalled: stalled.filter(({ cutOffMs }) => cutOffMs === undefined).length,
  });
}
