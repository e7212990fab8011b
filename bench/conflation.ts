/**
 * What conflation saves: frames and bytes that watchers are sent at 20 Hz, as a ratio to one frame for each bid, under the same steady
 * stream of bids. Goal: at most 0.1 of both, and all of them end at the last price.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@parallax/testkit";
import { watchLive } from "./lib/live-watcher.ts";
import { interleave, median, spread } from "./lib/ratio.ts";
import { startServer } from "./lib/server.ts";

const ROUNDS = 5;
const SECONDS = 3;
const WATCHERS = 20;
const BIDS_A_SECOND = 500;
const GOAL = 0.1;

await using conflated = await startServer("servers/broadcaster.ts", ["20", String(BIDS_A_SECOND)]);
await using each = await startServer("servers/broadcaster.ts", ["0", String(BIDS_A_SECOND)]);

/** Frames and bytes a second and watcher. */
async function watch(url: string): Promise<{ frames: number; bytes: number }> {
  using stack = new DisposableStack();
  const watchers = await Promise.all(Array.from({ length: WATCHERS }, () => watchLive(url)));
  for (const watcher of watchers) stack.use(watcher);
  for (const watcher of watchers) watcher.reset();
  const began = performance.now();
  await sleep(SECONDS * 1000);
  const seconds = (performance.now() - began) / 1000;
  const sum = (key: "frames" | "bytes") =>
    watchers.reduce((total, watcher) => total + watcher[key], 0) / WATCHERS / seconds;
  const result = { frames: sum("frames"), bytes: sum("bytes") };
  // Nobody is left behind: what is the latest now reaches every one.
  const latest = Math.max(...watchers.map(({ seq }) => seq));
  await waitFor("all to be told of it", () => watchers.every(({ seq }) => seq >= latest), 5000);
  return result;
}

const bytes = { conflated: [] as number[], each: [] as number[] };
const measure = (url: string, kept: number[]) => async () => {
  const seen = await watch(url);
  kept.push(seen.bytes);
  return seen.frames;
};
const { a, b, ratios } = await interleave(
  ROUNDS,
  measure(conflated.url, bytes.conflated),
  measure(each.url, bytes.each),
);
const byteRatios = bytes.conflated.map((value, at) => value / (bytes.each[at] ?? Number.NaN));
console.log(`at 20 Hz:        ${spread(a, 1)} frames/s, ${spread(bytes.conflated, 0)} bytes/s a watcher`);
console.log(`each bid:        ${spread(b, 1)} frames/s, ${spread(bytes.each, 0)} bytes/s a watcher`);
console.log(`ratio of frames: ${spread(ratios, 3)}`);
console.log(`ratio of bytes:  ${spread(byteRatios, 3)}`);
console.log(
  `(goal: at most ${GOAL} of both; ${ROUNDS} interleaved pairs, ${WATCHERS} watchers, ${BIDS_A_SECOND} bids/s)`,
);
process.exitCode = median(ratios) <= GOAL && median(byteRatios) <= GOAL ? 0 : 1;
