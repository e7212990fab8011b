/**
 * Publishing events to JetStream as the relay does, a bounded number of them on their way at once, beside waiting for each: the
 * gateway's own publisher, window and stream, kept in files by a nats-server in a process of its own.
 * Goal: at least 8 times as many events a second.
 */

import { randomUUID } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import { silentLogger } from "@parallax/testkit";
import { STREAM } from "../services/bidding/src/adapters/event-stream.ts";
import { jetStreamPublisher } from "../services/bidding/src/adapters/jetstream-publisher.ts";
import { NatsLink } from "../services/bidding/src/adapters/nats.ts";
import { PublishWindow } from "../services/bidding/src/gateway/relay/window.ts";
import { natsServer } from "../test/lib/nats-server.ts";
import { bids } from "./lib/bids.ts";
import { interleave, median, spread } from "./lib/ratio.ts";

const ROUNDS = 7;
const IN_FLIGHT = 1024;
const ASYNC = 30_000;
const SYNC = 2000;
const GOAL = 8;

await using nats = await natsServer();
await using link = new NatsLink({ url: nats.url, name: "bench", logger: silentLogger() });
const connection = await link.ready(AbortSignal.timeout(10_000));
const publisher = jetStreamPublisher(link, { dedupeSeconds: 120 });
const { identity } = await publisher.inspect();
const manager = await jetstreamManager(connection);

/** Events a second, from the first sent to the last kept. */
async function rate(count: number, mostInFlight: number): Promise<number> {
  const events = bids(count, randomUUID());
  let kept = 0;
  const onKept = () => {
    kept += 1;
  };
  const window = new PublishWindow({ publisher, mostInFlight, onKept });
  const began = performance.now();
  for (const event of events) {
    if (!window.open) await window.room();
    window.send(event, "0-0");
  }
  const failed = await window.settle();
  const seconds = (performance.now() - began) / 1000;
  if (failed) throw failed.error;
  if (kept !== count) throw new Error(`${kept} of ${count} were kept`);
  await manager.streams.purge(STREAM);
  return count / seconds;
}

const many = () => rate(ASYNC, IN_FLIGHT);
const one = () => rate(SYNC, 1);
await many();
await one();
const { a, b, ratios } = await interleave(ROUNDS, many, one);
console.log(`nats-server ${nats.version}, stream in files made ${identity}`);
console.log(`${IN_FLIGHT} on their way: ${spread(a, 0)} events/s`);
console.log(`one at a time:   ${spread(b, 0)} events/s`);
console.log(`ratio:           ${spread(ratios)} (goal: at least ${GOAL}; ${ROUNDS} interleaved pairs)`);
process.exitCode = median(ratios) >= GOAL ? 0 : 1;
