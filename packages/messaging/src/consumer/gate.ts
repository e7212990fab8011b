/** A gate that pollers pass while it is open and wait at while it is closed. */
export class Gate {
  #closed: PromiseWithResolvers<void> | undefined;

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  close(): void {
    this.#closed ??= Promise.withResolvers();
  }

  reopen(): void {
    this.#closed?.resolve();
    this.#closed = undefined;
  }

  /** Resolves when the gate is open or `signal` is aborted. */
  async open(signal: AbortSignal): Promise<void> {
    if (!this.#closed || signal.aborted) return;
    const aborted = Promise.withResolvers<void>();
    const wake = () => aborted.resolve();
    signal.addEventListener("abort", wake, { once: true });
    await Promise.race([this.#closed.promise, aborted.promise]);
    signal.removeEventListener("abort", wake);
  }
}
