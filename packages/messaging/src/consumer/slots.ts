/** A counting semaphore: the free workers. */
export class Slots {
  #count: number;
  /** Negative after a shrink, while more are taken than there now are. */
  #free: number;
  #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** What is taken stays taken. */
  resize(count: number): void {
    const more = count - this.#count;
    this.#count = count;
    this.give(more);
  }

  /** Takes between 1 and `most`, waiting until one is free. Resolves to how many, 0 when aborted. */
  async take(most: number, signal: AbortSignal): Promise<number> {
    while (this.#free <= 0) {
      if (signal.aborted) return 0;
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#waiting.push(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    }
    if (signal.aborted) return 0;
    const taken = Math.min(most, this.#free);
    this.#free -= taken;
    return taken;
  }

  give(count: number): void {
    if (count === 0) return;
    this.#free += count;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
