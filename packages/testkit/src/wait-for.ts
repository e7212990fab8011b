import { setTimeout as sleep } from "node:timers/promises";

/**
 * Resolves to the first value of `condition` that is neither undefined nor false; a condition that throws is
 * not met yet.
 * @param what named in the error, as in "waited 5000 ms for the queue to drain"
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  timeoutMs = 10_000,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < until) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value as T;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(10);
  }
  throw new Error(`Waited ${timeoutMs} ms for ${what}`, { cause: last });
}
