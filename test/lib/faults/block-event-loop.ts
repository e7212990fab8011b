/**
 * Loaded into a service before it starts (NODE_OPTIONS=--import): SIGUSR2 then blocks its event loop for BLOCK_SECONDS, as
 * code that computes for too long does. Timers stand still, so do heartbeats.
 */

process.on("SIGUSR2", () => {
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(nobodyWakes, 0, 0, Number(process.env.BLOCK_SECONDS) * 1000);
});
