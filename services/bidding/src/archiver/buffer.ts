/**
 * Deliveries between their arrival and their batch: a batch is full, or the first of it has waited long enough. What waits
 * longer than it should is kept from being delivered again.
 */

import type { Delivery } from "../domain/archiving.ts";

export interface BufferOptions {
  /** Deliveries in a batch at the most. */
  readonly batch: number;
  /** Milliseconds that the first one waits for others. */
  readonly waitMs: number;
  /** Deliveries held at the most. More are let go, to be delivered again. */
  readonly most: number;
}

export class DeliveryBuffer {
  readonly #options: BufferOptions;
  readonly #waiting: { readonly delivery: Delivery; readonly since: number }[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(options: BufferOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(delivery: Delivery): void {
    if (this.#waiting.length >= this.#options.most) return;
    this.#waiting.push({ delivery, since: performance.now() });
    if (this.#waiting.length === 1 || this.#waiting.length >= this.#options.batch) this.#changed.resolve();
  }

  /** The next batch, of one delivery at least. @throws the signal's reason */
  async next(signal: AbortSignal): Promise<readonly Delivery[]> {
    const { batch, waitMs } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const [first] = this.#waiting;
      const left = first && first.since + waitMs - performance.now();
      if (this.#waiting.length >= batch || (left !== undefined && left <= 0)) {
        return this.#waiting.splice(0, batch).map(({ delivery }) => delivery);
      }
      await this.#change(signal, left);
    }
  }

  /** Those that have waited so many milliseconds, so that something can be done about it. */
  waitingFor(ms: number): readonly Delivery[] {
    const until = performance.now() - ms;
    return this.#waiting.filter(({ since }) => since <= until).map(({ delivery }) => delivery);
  }

  /** Takes out all that is there. */
  clear(): readonly Delivery[] {
    return this.#waiting.splice(0).map(({ delivery }) => delivery);
  }

  /** Resolves on a change, or after `ms`, or when aborted. */
  async #change(signal: AbortSignal, ms: number | undefined): Promise<void> {
    const changed = Promise.withResolvers<void>();
    this.#changed = changed;
    const timer = ms === undefined ? undefined : setTimeout(changed.resolve, ms);
    const aborted = () => changed.resolve();
    signal.addEventListener("abort", aborted);
    try {
      await changed.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
    }
  }
}
