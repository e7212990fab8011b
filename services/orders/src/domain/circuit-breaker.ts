/**
 * A circuit breaker that makes callers wait instead of failing them: a delivery that fails counts towards
 * the dead-letter queue, and an outage of a dependency is not the order's fault.
 *
 * Closed: calls go through. Open: they wait in line. Half-open: the first in line goes through as the probe;
 * its success closes the breaker for all, its failure opens it for longer and sends it to the end of the line,
 * so that one call that can never succeed does not stand in the way of the others.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable } from "@parallax/service/errors";

export interface BreakerOptions {
  /** First and longest wait between probes, in milliseconds. */
  readonly backoffMs: { readonly first: number; readonly most: number };
  /** Told when calls begin to wait (`open`) and when they go on (`closed`). */
  onChange(state: "open" | "closed", cause?: unknown): void;
  /**
   * Told while calls wait and too few are left to find out when that ends: a probe has failed and nobody else is in line
   * who could be the next one, or all callers have given up.
   */
  onProbesWanted?(): void;
}

/** So often may a call fail while others succeed in between until the failure is held to be its own. */
const OWN_FAILURES = 5;

type Place = (go: "probe" | "through") => void;

export class CircuitBreaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #probing = false;
  #callers = 0;
  /** How often a success has ended an outage. */
  #closings = 0;
  #line: Place[] = [];

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): "open" | "closed" {
    return this.#failures > 0 ? "open" : "closed";
  }

  /**
   * Runs `call`, again and again while it fails with DependencyUnavailable.
   * @throws whatever else `call` throws; the signal's reason once that is aborted; DependencyUnavailable when
   *   the dependency answers others and only this call fails again and again
   */
  async run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#callers += 1;
    try {
      return await this.#try(call, signal);
    } finally {
      this.#callers -= 1;
      // Nobody would ever find out that it answers again.
      if (this.#callers === 0 && this.#failures > 0) this.#options.onProbesWanted?.();
    }
  }

  async #try<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    let ownFailures = 0;
    let closings = this.#closings;
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
        if (this.#closings > closings) ownFailures += 1;
        closings = this.#closings;
        // Those that were on their way when it opened tell nothing new.
        if (probe || this.#failures === 0) this.#open(error);
        if (ownFailures >= OWN_FAILURES) throw error;
        if (probe) await sleep(this.#backoff(), undefined, { signal }).catch(() => {});
      } finally {
        if (probe) this.#passOn();
      }
    }
  }

  /** Waits while the breaker is open. Resolves to true for the one caller that is to be the probe. */
  async #enter(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (this.#failures === 0) return false;
    if (!this.#probing && this.#line.length === 0) {
      this.#probing = true;
      return true;
    }
    const turn = Promise.withResolvers<"probe" | "through">();
    const leave = () => {
      this.#line = this.#line.filter((place) => place !== turn.resolve);
      turn.reject(signal.reason);
    };
    this.#line.push(turn.resolve);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return (await turn.promise) === "probe";
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #open(cause: unknown): void {
    this.#failures += 1;
    if (this.#failures === 1) this.#options.onChange("open", cause);
    else if (this.#line.length === 0) this.#options.onProbesWanted?.();
  }

  #close(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#closings += 1;
    const line = this.#line;
    this.#line = [];
    for (const go of line) go("through");
    this.#options.onChange("closed");
  }

  /** The probe is over: the next in line is the next one. */
  #passOn(): void {
    const next = this.#failures > 0 ? this.#line.shift() : undefined;
    this.#probing = next !== undefined;
    next?.("probe");
  }

  /** Half to all of the exponential wait, so that several processes do not probe in step. */
  #backoff(): number {
    const { first, most } = this.#options.backoffMs;
    return Math.min(most, first * 2 ** Math.min(this.#failures - 1, 16)) * (0.5 + Math.random() / 2);
  }
}
