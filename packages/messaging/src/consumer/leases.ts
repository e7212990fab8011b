/**
 * The leases of the deliveries in hand. A heartbeat extends each before it ends; one that could not be
 * extended in time is lost, and its holder is told by the signal so that no twin works beside another.
 */

import { LeaseLost } from "../errors.ts";
import { BATCH, type LeasedQueue } from "../queue.ts";

export interface Lease {
  readonly receipt: string;
  readonly signal: AbortSignal;
  readonly lost: boolean;
}

interface Held {
  readonly receipt: string;
  readonly controller: AbortController;
  /** performance.now() at which the queue may hand the message to somebody else. */
  endsAt: number;
}

export class Leases {
  readonly #queue: LeasedQueue;
  readonly #onError: (error: unknown) => void;
  readonly #held = new Map<string, Held>();
  readonly #timer: NodeJS.Timeout;
  readonly #lengthMs: number;
  #beating = false;

  constructor(queue: LeasedQueue, onError: (error: unknown) => void) {
    this.#queue = queue;
    this.#onError = onError;
    this.#lengthMs = queue.visibilitySeconds * 1000;
    // Six beats a lease: several failed extensions still leave time for one that succeeds.
    this.#timer = setInterval(() => void this.#beat(), Math.max(50, this.#lengthMs / 6));
  }

  /** Begins a lease for a message that has just been received. */
  hold(receipt: string): Lease {
    // The queue's clock started when its answer left, which is somewhat earlier than now.
    const onItsWay = Math.min(1000, this.#lengthMs / 10);
    const endsAt = performance.now() + this.#lengthMs - onItsWay;
    const held: Held = { receipt, controller: new AbortController(), endsAt };
    this.#held.set(receipt, held);
    return {
      receipt,
      signal: held.controller.signal,
      get lost() {
        return held.controller.signal.reason instanceof LeaseLost;
      },
    };
  }

  drop(receipt: string): void {
    this.#held.delete(receipt);
  }

  /** Tells every holder to stop with `reason` and hands the messages back. Resolves to how many there were. */
  async handBackAll(reason: Error): Promise<number> {
    const receipts = [...this.#held.keys()];
    for (const { controller } of this.#held.values()) controller.abort(reason);
    this.#held.clear();
    await Promise.all(batches(receipts).map((batch) => this.#queue.hide(batch, 0).catch(this.#onError)));
    return receipts.length;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #beat(): Promise<void> {
    // First of all, and also while an extension hangs: a lease ends by the clock, whatever the network does.
    const now = performance.now();
    for (const held of this.#held.values()) if (held.endsAt <= now) this.#lose(held);
    if (this.#beating) return;
    this.#beating = true;
    try {
      const due = [...this.#held.values()].filter((held) => held.endsAt - now < (this.#lengthMs * 2) / 3);
      await Promise.all(batches(due).map((batch) => this.#extend(batch)));
    } finally {
      this.#beating = false;
    }
  }

  async #extend(batch: readonly Held[]): Promise<void> {
    const sentAt = performance.now();
    try {
      const receipts = batch.map(({ receipt }) => receipt);
      const refused = new Set(await this.#queue.hide(receipts, this.#queue.visibilitySeconds));
      for (const held of batch) {
        if (!refused.has(held.receipt)) held.endsAt = sentAt + this.#lengthMs;
        else if (this.#held.has(held.receipt)) this.#lose(held);
      }
    } catch (error) {
      this.#onError(error);
    }
  }

  #lose(held: Held): void {
    this.#held.delete(held.receipt);
    held.controller.abort(new LeaseLost("The visibility timeout ended before it could be extended"));
  }
}

function batches<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, at) =>
    items.slice(at * BATCH, (at + 1) * BATCH),
  );
}
