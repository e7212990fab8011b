/** Gathers single items into batches of at most `max`, waiting `lingerMs` for company, or for what else this turn of the loop brings. */

export interface Batcher<T> {
  /** Resolves or rejects with the item's own outcome. */
  add(item: T): Promise<void>;
  /** Sends what waits and resolves when everything added so far has its outcome. */
  flush(): Promise<void>;
}

export interface BatcherOptions<T> {
  readonly max: number;
  readonly lingerMs: number | "this turn";
  /** Sends one batch; returns the items that were refused, with the reason where there is one. */
  send(items: readonly T[]): Promise<readonly T[] | ReadonlyMap<T, unknown>>;
}

interface Waiting<T> {
  readonly item: T;
  resolve(): void;
  reject(error: unknown): void;
}

export function createBatcher<T>(options: BatcherOptions<T>): Batcher<T> {
  let waiting: Waiting<T>[] = [];
  let cancel: (() => void) | undefined;
  const sending = new Set<Promise<void>>();

  function sendNow(): void {
    cancel?.();
    cancel = undefined;
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    const sent = sendBatch(batch).finally(() => sending.delete(sent));
    sending.add(sent);
  }

  async function sendBatch(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      const refused = await options.send(batch.map(({ item }) => item));
      const reasons =
        refused instanceof Map ? refused : new Map([...refused].map((item) => [item, undefined]));
      for (const { item, resolve, reject } of batch) {
        if (reasons.has(item))
          reject(reasons.get(item) ?? new Error("The queue refused this entry of the batch"));
        else resolve();
      }
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    }
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (waiting.length >= options.max) sendNow();
        else cancel ??= later(options.lingerMs, sendNow);
      });
    },
    async flush() {
      sendNow();
      await Promise.all(sending);
    },
  };
}

/** Returns what takes it back. */
function later(when: number | "this turn", call: () => void): () => void {
  if (when === "this turn") {
    const immediate = setImmediate(call);
    return () => clearImmediate(immediate);
  }
  const timer = setTimeout(call, when);
  return () => clearTimeout(timer);
}
