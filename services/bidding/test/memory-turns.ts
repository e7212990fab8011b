/** Whose turn it is, in memory, for tests. */

import type { Turn } from "../src/domain/archiving.ts";

export class MemoryTurns implements Turn {
  #held: AbortController | undefined;
  #freed = Promise.withResolvers<void>();

  async take(signal: AbortSignal) {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    while (this.#held) {
      signal.throwIfAborted();
      await Promise.race([this.#freed.promise, aborted.promise]);
    }
    signal.throwIfAborted();
    const held = new AbortController();
    this.#held = held;
    return {
      lost: held.signal,
      end: async () => {
        if (this.#held === held) this.lose();
      },
    };
  }

  /** Whoever has it loses it. */
  lose(): void {
    this.#held?.abort(new Error("The turn is lost"));
    this.#held = undefined;
    this.#freed.resolve();
    this.#freed = Promise.withResolvers();
  }
}
