/**
 * The line in front of the payment provider: first come, first served, at most `concurrency` at once
 * (0: no limit), at most `limit` waiting.
 */

import { Overloaded } from "@parallax/service";

export class Line {
  readonly #concurrency: number;
  readonly #limit: number;
  readonly #waiting: { enter(): void }[] = [];
  #inside = 0;
  #mostInside = 0;

  constructor(concurrency: number, limit: number) {
    this.#concurrency = concurrency === 0 ? Number.POSITIVE_INFINITY : concurrency;
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get inside(): number {
    return this.#inside;
  }

  /** The most that were ever inside together: the proof that the limit held. */
  get mostInside(): number {
    return this.#mostInside;
  }

  /**
   * Waits for its turn, runs `work`, lets the next one in. Whoever aborts while waiting leaves the line.
   * @throws Overloaded when the line is full; the signal's reason; what `work` throws
   */
  async through<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inside < this.#concurrency) {
      this.#step(1);
      return;
    }
    if (this.#waiting.length >= this.#limit) {
      throw new Overloaded(`${this.#limit} payments are waiting, which is the limit.`, {
        retryAfterSeconds: 5,
      });
    }
    await new Promise<void>((resolve, reject) => {
      const place = {
        enter: () => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(place), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(place);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    // The place inside passes to the next one directly, so that nobody can slip in between.
    if (next) next.enter();
    else this.#step(-1);
  }

  #step(by: 1 | -1): void {
    this.#inside += by;
    this.#mostInside = Math.max(this.#mostInside, this.#inside);
  }
}
