/**
 * Random numbers that are the same every time: a run of a model can be repeated from its seed. Not for secrets.
 * mulberry32 by Tommy Ettinger (public domain): 32 bits of state, period 2^32.
 */

/** @returns a function that gives numbers in [0, 1) */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The time to the next event of a Poisson process, and any exponentially distributed time: −mean · ln(1 − u). */
export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log(1 - random());
}
