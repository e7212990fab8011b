/** The archive in memory, for tests. */

import type { Archived, ArchiveStore } from "../domain/archiving.ts";
import type { AuctionEvent } from "../domain/events.ts";

type Event<T extends AuctionEvent["type"]> = Extract<AuctionEvent, { type: T }>;

export class MemoryArchiveStore implements ArchiveStore {
  readonly opened = new Map<string, Event<"opened">>();
  readonly ended = new Map<string, Event<"ended">>();
  /** By auction and `seq`. */
  readonly bids = new Map<string, Event<"bid">>();
  readonly conflicts: AuctionEvent[] = [];
  /** Bids by auction and id: each is there once, whatever its `seq`. */
  readonly #ids = new Set<string>();

  async write(events: readonly AuctionEvent[]): Promise<Archived> {
    const conflicts: AuctionEvent[] = [];
    let inserted = 0;
    for (const event of events) {
      if (this.#insert(event)) inserted += 1;
      else if (this.#contradicts(event) && !this.#isKept(event)) {
        this.conflicts.push(event);
        conflicts.push(event);
      }
    }
    return { inserted, conflicts, duplicates: events.length - inserted - conflicts.length };
  }

  async check(): Promise<void> {}

  #insert(event: AuctionEvent): boolean {
    if (event.type !== "bid") {
      const events: Map<string, AuctionEvent> = this[event.type];
      if (events.has(event.auction_id)) return false;
      events.set(event.auction_id, event);
      return true;
    }
    const id = `${event.auction_id}:${event.bid_id}`;
    if (this.bids.has(placeOf(event)) || this.#ids.has(id)) return false;
    this.bids.set(placeOf(event), event);
    this.#ids.add(id);
    return true;
  }

  #contradicts(event: AuctionEvent): boolean {
    if (event.type === "opened") return false;
    const there = event.type === "bid" ? this.bids.get(placeOf(event)) : this.ended.get(event.auction_id);
    if (there?.seq !== event.seq || there.bid_id !== event.bid_id) return true;
    return there.bidder_id !== event.bidder_id || there.amount !== event.amount;
  }

  #isKept(event: AuctionEvent): boolean {
    return this.conflicts.some((kept) => keyOf(kept) === keyOf(event));
  }
}

function placeOf({ auction_id, seq }: Event<"bid">): string {
  return `${auction_id}:${seq}`;
}

/** Of what is kept: once for each auction, type, `seq` and bid. */
function keyOf(event: AuctionEvent): string {
  if (event.type === "opened") return `${event.auction_id}:opened`;
  return `${event.auction_id}:${event.type}:${event.seq}:${event.bid_id}`;
}
