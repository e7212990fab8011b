/**
 * A circuit breaker that makes callers wait instead of failing them: a delivery that fails counts towards
 * the dead-letter queue, and an outage of a dependency is not the order's fault.
 *
 * Closed: calls go through. Open: they wait. Half-open: one goes through as the probe; its success closes
 * the breaker for all, its failure opens it for longer.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable } from "@parallax/service";

export interface BreakerOptions {
  /** First and longest wait between probes, in milliseconds. */
  readonly backoffMs: { readonly first: number; readonly most: number };
  /** Told when calls begin to wait (`open`) and when they go on (`closed`). */
  onChange(state: "open" | "closed", cause?: unknown): void;
}

export class CircuitBreaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #probing = false;
  /** Set while open; resolved each time the state may have changed. */
  #changed: PromiseWithResolvers<void> | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): "open" | "closed" {
    return this.#failures > 0 ? "open" : "closed";
  }

  /**
   * Runs `call`, again and again while it fails with DependencyUnavailable.
   * @throws whatever else `call` throws, and the signal's reason once that is aborted
   */
  async run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      const probe = await this.#enter(signal);
      try {
        const result = await call();
        this.#close();
        return result;
      } catch (error) {
        if (!(error instanceof DependencyUnavailable)) {
          // It answered, if not as wished: what failed is this call alone.
          if (probe && !signal.aborted) this.#close();
          throw error;
        }
        // Those that were on their way when it opened tell nothing new.
        if (probe || this.#failures === 0) this.#open(error);
        if (probe) await sleep(this.#backoff(), undefined, { signal }).catch(() => {});
      } finally {
        if (probe) this.#endProbe();
      }
    }
  }

  /** Waits while the breaker is open. Resolves to true for the one caller that is to be the probe. */
  async #enter(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failures === 0) return false;
      if (!this.#probing) {
        this.#probing = true;
        return true;
      }
      this.#changed ??= Promise.withResolvers();
      await settledOrAborted(this.#changed.promise, signal);
    }
  }

  #open(cause: unknown): void {
    this.#failures += 1;
    if (this.#failures === 1) this.#options.onChange("open", cause);
  }

  #close(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#options.onChange("closed");
    this.#notify();
  }

  #endProbe(): void {
    this.#probing = false;
    this.#notify();
  }

  #notify(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }

  /** Half to all of the exponential wait, so that several processes do not probe in step. */
  #backoff(): number {
    const { first, most } = this.#options.backoffMs;
    return Math.min(most, first * 2 ** Math.min(this.#failures - 1, 16)) * (0.5 + Math.random() / 2);
  }
}

async function settledOrAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const wake = () => aborted.resolve();
  signal.addEventListener("abort", wake, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", wake);
  }
}
