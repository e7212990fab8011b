/** The outbox and the relay's lease in memory, for tests. */

import type { AuctionEvent } from "../domain/events.ts";
import {
  type ArchivedOutbox,
  compareIds,
  fieldsOf,
  type Lease,
  type Outbox,
  type OutboxEntry,
} from "../domain/outbox.ts";

/** Without its `outbox_id`, which the outbox gives. */
export type NewEvent<E = AuctionEvent> = E extends AuctionEvent ? Omit<E, "outbox_id"> : never;

export class MemoryOutbox implements Outbox, ArchivedOutbox {
  readonly entries: OutboxEntry[] = [];
  /** Ids of auctions that are retired, and after how many seconds they go. */
  readonly retired = new Map<string, number>();
  #last = { ms: 0, count: 0 };
  #appended = Promise.withResolvers<void>();

  /** @returns the id of its entry */
  append(event: NewEvent): string {
    // As in Redis: ids rise, even where the time does not.
    this.#last = { ms: Math.max(this.#last.ms, event.at), count: this.#last.count + 1 };
    const id = `${this.#last.ms}-${this.#last.count}`;
    this.entries.push({ id, fields: fieldsOf({ ...event, outbox_id: id } as AuctionEvent) });
    this.#appended.resolve();
    this.#appended = Promise.withResolvers();
    return id;
  }

  async read(after: string, limit: number, waitMs: number): Promise<readonly OutboxEntry[]> {
    const found = () => this.entries.filter(({ id }) => compareIds(id, after) > 0).slice(0, limit);
    if (found().length === 0) {
      const waited = Promise.withResolvers<void>();
      const timer = setTimeout(waited.resolve, waitMs);
      await Promise.race([this.#appended.promise, waited.promise]);
      clearTimeout(timer);
    }
    return found();
  }

  async state() {
    const at = Number(this.entries[0]?.id.split("-")[0] ?? Date.now());
    return { length: this.entries.length, oldestAgeMs: Math.max(0, Date.now() - at) };
  }

  async remove(ids: readonly string[]): Promise<void> {
    const removed = new Set(ids);
    const left = this.entries.filter(({ id }) => !removed.has(id));
    this.entries.splice(0, this.entries.length, ...left);
  }

  async retire(auctionIds: readonly string[], seconds: number): Promise<void> {
    for (const id of auctionIds) if (!this.retired.has(id)) this.retired.set(id, seconds);
  }

  /** Nothing goes here. */
  async sweep(): Promise<number> {
    return 0;
  }

  async check(): Promise<void> {}
}

export class MemoryLease implements Lease {
  #holder: string | undefined;
  #until = 0;

  async hold(holder: string, ms: number): Promise<boolean> {
    if (this.#holder !== holder && performance.now() < this.#until) return false;
    this.#holder = holder;
    this.#until = performance.now() + ms;
    return true;
  }

  async end(holder: string): Promise<void> {
    if (this.#holder === holder) this.#until = 0;
  }
}
