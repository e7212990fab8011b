/**
 * What was acquired, to be released last-in first-out. Every releaser runs even when one fails; the first
 * error is rethrown at the end.
 */
export class Releasers {
  #stack: { readonly what: string; readonly release: () => unknown }[] = [];

  /** Registers `release` and passes `resource` through, so that acquiring and registering are one line. */
  add<T>(what: string, resource: T, release: (resource: T) => unknown): T {
    this.#stack.push({ what, release: () => release(resource) });
    return resource;
  }

  /** Runs all releasers once; a second call finds nothing left. */
  async release(onRelease?: (what: string) => void): Promise<void> {
    let first: { readonly error: unknown } | undefined;
    for (let entry = this.#stack.pop(); entry; entry = this.#stack.pop()) {
      try {
        onRelease?.(entry.what);
        await entry.release();
      } catch (error) {
        first ??= { error: new Error(`Releasing ${entry.what} failed`, { cause: error }) };
      }
    }
    if (first) throw first.error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}
