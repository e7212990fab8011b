/**
 * What one watcher that reads nothing does to the others: the 99th percentile of how late prices reach them, as a ratio to that without
 * it, while its bytes pile up in the broadcaster. Each bid is a frame of its own (BROADCAST_HZ=0), which is the worst case.
 * Goal: at most 1.2, and what waits for it never above the cap, at which it is cut off.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type LiveWatcher, watchLive } from "./lib/live-watcher.ts";
import { interleave, median, spread } from "./lib/ratio.ts";
import { startServer } from "./lib/server.ts";

const ROUNDS = 7;
const SECONDS = 4;
const WATCHERS = 10;
const BIDS_A_SECOND = 500;
const CAP = 1024 ** 2;
const GOAL = 1.2;
/** Bids told at once, until the kernel takes no more for the stalled one: some 260 bytes each. */
const BURST = 1000;

await using server = await startServer("servers/broadcaster.ts", ["0", String(BIDS_A_SECOND), String(CAP)]);

interface Figures {
  readonly watchers: number;
  readonly bufferedBytes: number;
  readonly memory: { readonly rss: number };
}

async function burst(bids: number): Promise<Figures> {
  const answer = await fetch(`${server.url}/burst?bids=${bids}`, { method: "POST" });
  return (await answer.json()) as Figures;
}

/** Milliseconds. */
async function delayOfTheOthers(): Promise<number> {
  using stack = new DisposableStack();
  const watchers = await Promise.all(Array.from({ length: WATCHERS }, () => watchLive(server.url)));
  for (const watcher of watchers) stack.use(watcher);
  await sleep(500);
  for (const watcher of watchers) watcher.reset();
  await sleep(SECONDS * 1000);
  return percentile99(watchers.flatMap(({ delays }) => delays));
}

function percentile99(values: readonly number[]): number {
  if (values.length === 0) throw new Error("Nothing was delivered");
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] as number;
}

let mostBuffered = 0;
const resident: { with: number[]; without: number[] } = { with: [], without: [] };

async function withStalled(): Promise<number> {
  using stalled = await watchLive(server.url);
  stalled.stall();
  let figures = await burst(BURST);
  while (figures.bufferedBytes === 0) figures = await burst(BURST);
  const delay = await delayOfTheOthers();
  figures = await burst(0);
  if (figures.bufferedBytes === 0) throw new Error("Nothing was waiting: the watcher was not stalled");
  mostBuffered = Math.max(mostBuffered, figures.bufferedBytes);
  resident.with.push(figures.memory.rss / 1024 ** 2);
  await cutOff(stalled);
  return delay;
}

/** Goes on until the cap, where it must be cut off. */
async function cutOff(stalled: LiveWatcher): Promise<void> {
  for (let n = 0; n < 100; n += 1) {
    const { bufferedBytes, watchers } = await burst(BURST / 10);
    mostBuffered = Math.max(mostBuffered, bufferedBytes);
    if (watchers === 0) return await stalled.gone();
  }
  throw new Error("It was never cut off");
}

async function without(): Promise<number> {
  const delay = await delayOfTheOthers();
  resident.without.push((await burst(0)).memory.rss / 1024 ** 2);
  return delay;
}

await without();
const { a, b, ratios } = await interleave(ROUNDS, withStalled, without);
console.log(`p99 delay beside a stalled watcher: ${spread(a)} ms`);
console.log(`p99 delay without one:              ${spread(b)} ms`);
console.log(`ratio:                              ${spread(ratios)}`);
console.log(`most bytes waiting:                 ${mostBuffered} (the cap: ${CAP})`);
console.log(
  `resident memory:                    with ${spread(resident.with, 0)} MiB, without ${spread(resident.without, 0)} MiB`,
);
console.log(
  `(goal: at most ${GOAL}; ${ROUNDS} interleaved pairs, ${WATCHERS} watchers, ${BIDS_A_SECOND} bids/s, a frame each)`,
);
process.exitCode = median(ratios) <= GOAL && mostBuffered <= CAP ? 0 : 1;
