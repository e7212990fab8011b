/**
 * What one watcher that reads nothing does to the others: the 99th percentile of how late prices reach them, as a ratio to that without
 * it, while its bytes pile up in the broadcaster. Each bid is a frame of its own (BROADCAST_HZ=0), which is the worst case. Two broadcasters
 * are measured in the same seconds, so that whatever else the machine does delays both; they take turns in having the stalled one.
 * Goal: at most 1.2, and what waits for it never above the cap, at which it is cut off.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type LiveWatcher, watchLive } from "./lib/live-watcher.ts";
import { median, spread } from "./lib/ratio.ts";
import { type ServerProcess, startServer } from "./lib/server.ts";

const ROUNDS = 10;
const SECONDS = 5;
const WATCHERS = 10;
const BIDS_A_SECOND = 250;
const CAP = 1024 ** 2;
const GOAL = 1.2;
/** Bids told at once, until the kernel takes no more for the stalled one: some 260 bytes each. */
const BURST = 1000;

const start = () => startServer("servers/broadcaster.ts", ["0", String(BIDS_A_SECOND), String(CAP)]);
await using one = await start();
await using other = await start();

interface Figures {
  readonly watchers: number;
  readonly bufferedBytes: number;
  readonly memory: { readonly rss: number };
}

/** @param bids told at once, before the figures are taken */
async function figuresOf({ url }: ServerProcess, bids = 0): Promise<Figures> {
  const answer = await fetch(`${url}/burst?bids=${bids}`, { method: "POST" });
  return (await answer.json()) as Figures;
}

let mostBuffered = 0;

/** Resolves once the server holds bytes for it. */
async function stalledAt(server: ServerProcess): Promise<LiveWatcher> {
  const stalled = await watchLive(server.url);
  stalled.stall();
  while ((await figuresOf(server, BURST)).bufferedBytes === 0);
  return stalled;
}

/** Goes on until the cap, where it must be cut off. */
async function cutOff(server: ServerProcess, stalled: LiveWatcher): Promise<void> {
  for (let n = 0; n < 100; n += 1) {
    const { bufferedBytes, watchers } = await figuresOf(server, BURST / 10);
    mostBuffered = Math.max(mostBuffered, bufferedBytes);
    if (watchers === 0) return await stalled.gone();
  }
  throw new Error("It was never cut off");
}

/** p99 of each, in milliseconds, measured in the same seconds. */
async function delays(servers: readonly ServerProcess[]): Promise<number[]> {
  using stack = new DisposableStack();
  const groups = await Promise.all(
    servers.map(({ url }) => Promise.all(Array.from({ length: WATCHERS }, () => watchLive(url)))),
  );
  for (const watcher of groups.flat()) stack.use(watcher);
  await sleep(500);
  for (const watcher of groups.flat()) watcher.reset();
  await sleep(SECONDS * 1000);
  return groups.map((watchers) => percentile99(watchers.flatMap(({ delays }) => delays)));
}

function percentile99(values: readonly number[]): number {
  if (values.length === 0) throw new Error("Nothing was delivered");
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] as number;
}

const results = { beside: [] as number[], without: [] as number[], ratios: [] as number[] };
const resident = { beside: [] as number[], without: [] as number[] };
await delays([one, other]);
for (let round = 0; round < ROUNDS; round += 1) {
  const [hindered, free] = round % 2 === 0 ? [one, other] : [other, one];
  using stalled = await stalledAt(hindered);
  const [beside, without] = (await delays([hindered, free])) as [number, number];
  const [held, none] = await Promise.all([figuresOf(hindered), figuresOf(free)]);
  if (held.bufferedBytes === 0) throw new Error("Nothing was waiting: the watcher was not stalled");
  results.beside.push(beside);
  results.without.push(without);
  results.ratios.push(beside / without);
  resident.beside.push(held.memory.rss / 1024 ** 2);
  resident.without.push(none.memory.rss / 1024 ** 2);
  await cutOff(hindered, stalled);
}
console.log(`p99 delay beside a stalled watcher: ${spread(results.beside)} ms`);
console.log(`p99 delay without one:              ${spread(results.without)} ms`);
console.log(`ratio:                              ${spread(results.ratios)}`);
console.log(`most bytes waiting:                 ${mostBuffered} (the cap: ${CAP})`);
console.log(
  `resident memory:                    beside ${spread(resident.beside, 0)} MiB, without ${spread(resident.without, 0)} MiB`,
);
console.log(
  `(goal: at most ${GOAL}; ${ROUNDS} pairs, both at the same time, ${WATCHERS} watchers each, ${BIDS_A_SECOND} bids/s, a frame each)`,
);
process.exitCode = median(results.ratios) <= GOAL && mostBuffered <= CAP ? 0 : 1;
