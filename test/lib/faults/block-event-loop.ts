/**
 * Loaded into a service before it starts (NODE_OPTIONS=--import): SIGUSR2 then blocks its event loop for as long as there is a
 * file BLOCK_WHILE, as code that computes for too long does. Timers stand still, so do heartbeats.
 */

import { existsSync } from "node:fs";

process.on("SIGUSR2", () => {
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  while (existsSync(process.env.BLOCK_WHILE ?? "")) Atomics.wait(nobodyWakes, 0, 0, 50);
});
