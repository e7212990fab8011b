/**
 * Conflation: of many changes in a short time only the latest is sent. The first is sent at once; those that follow wait
 * until the interval since it is over, and are then sent as one.
 */

export interface ConflatorOptions {
  /** Sends at the most so many times a second; 0: at once, each time. */
  readonly hz: number;
  /** Sends the latest there is. */
  readonly send: () => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  readonly setTimer?: (callback: () => void, ms: number) => unknown;
  readonly clearTimer?: (timer: never) => void;
}

export class Conflator {
  readonly #options: Required<ConflatorOptions>;
  readonly #intervalMs: number;
  #notBefore = Number.NEGATIVE_INFINITY;
  #timer: unknown;

  constructor(options: ConflatorOptions) {
    this.#options = {
      now: () => performance.now(),
      setTimer: setTimeout,
      clearTimer: clearTimeout as (timer: never) => void,
      ...options,
    };
    this.#intervalMs = options.hz === 0 ? 0 : 1000 / options.hz;
  }

  /** There is something newer to be sent. */
  changed(): void {
    if (this.#timer !== undefined) return;
    const { now, setTimer } = this.#options;
    const wait = this.#notBefore - now();
    if (this.#intervalMs === 0 || wait <= 0) {
      this.#send();
      return;
    }
    this.#timer = setTimer(() => {
      this.#timer = undefined;
      this.#send();
    }, wait);
  }

  /** Sends now; what was waiting is sent by that. */
  flush(): void {
    this.stop();
    this.#send();
  }

  stop(): void {
    this.#options.clearTimer(this.#timer as never);
    this.#timer = undefined;
  }

  #send(): void {
    const { now, send } = this.#options;
    const began = now();
    send();
    const took = now() - began;
    // Sending to very many takes long: half of the time is left for everything else.
    this.#notBefore = began + Math.max(this.#intervalMs, 2 * took);
  }
}
