/** Gathers single items into batches of at most `max`, waiting `lingerMs` for company. */

export interface Batcher<T> {
  /** Resolves or rejects with the item's own outcome. */
  add(item: T): Promise<void>;
  /** Sends what waits and resolves when everything added so far has its outcome. */
  flush(): Promise<void>;
}

export interface BatcherOptions<T> {
  readonly max: number;
  readonly lingerMs: number;
  /** Sends one batch; returns the items that were refused. */
  send(items: readonly T[]): Promise<readonly T[]>;
}

interface Waiting<T> {
  readonly item: T;
  resolve(): void;
  reject(error: unknown): void;
}

export function createBatcher<T>(options: BatcherOptions<T>): Batcher<T> {
  let waiting: Waiting<T>[] = [];
  let timer: NodeJS.Timeout | undefined;
  const sending = new Set<Promise<void>>();

  function sendNow(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    const sent = sendBatch(batch).finally(() => sending.delete(sent));
    sending.add(sent);
  }

  async function sendBatch(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      const refused = new Set(await options.send(batch.map(({ item }) => item)));
      for (const entry of batch) {
        if (refused.has(entry.item)) entry.reject(new Error("The queue refused this entry of the batch"));
        else entry.resolve();
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
        else timer ??= setTimeout(sendNow, options.lingerMs);
      });
    },
    async flush() {
      sendNow();
      await Promise.all(sending);
    },
  };
}
