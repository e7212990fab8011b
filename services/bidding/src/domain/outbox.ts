/**
 * The outbox: events in the order in which they took effect, from when they did until they are archived. Who relays it and
 * who removes from it need different things of it, so it has an interface for each.
 */

import { type AuctionEvent, eventSchema } from "./events.ts";

export interface OutboxEntry {
  /** Such as 1763706000123-0; rises from entry to entry. */
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface OutboxState {
  readonly length: number;
  /** Of the oldest entry, by Redis's clock; 0 where there is none. */
  readonly oldestAgeMs: number;
}

/** What the relay needs of it. Every call may throw DependencyUnavailable. */
export interface Outbox {
  /**
   * Entries after this one, oldest first; `BEGINNING` is before all.
   * @param waitMs how long to wait for the first one where there is none
   */
  read(after: string, limit: number, waitMs: number): Promise<readonly OutboxEntry[]>;
  state(): Promise<OutboxState>;
}

/** Who relays, by a lease: one of all who want to, until it ends it or does not renew it in time. */
export interface Lease {
  /** Takes it or renews it. @returns whether it is held @throws DependencyUnavailable */
  hold(holder: string, ms: number): Promise<boolean>;
  /** Unless another has it. @throws DependencyUnavailable */
  end(holder: string): Promise<void>;
}

/** What the archiver needs of it. Every call may throw DependencyUnavailable. */
export interface ArchivedOutbox {
  /** Removes exactly these entries, those that are there. */
  remove(ids: readonly string[]): Promise<void>;
  /** Lets what is kept of ended auctions go so many seconds from now, unless that has been said before. */
  retire(auctionIds: readonly string[], seconds: number): Promise<void>;
  /** Takes auctions that have gone from the list of all, so many at the most. @returns how many */
  sweep(limit: number): Promise<number>;
  check(): Promise<void>;
}

export const BEGINNING = "0-0";

const NUMBERS = new Set(["at", "starting_price", "min_increment", "ends_at", "seq", "amount"]);

/** @throws ZodError for an entry that is no event */
export function eventOf({ id, fields }: OutboxEntry): AuctionEvent {
  const event: Record<string, unknown> = { outbox_id: id };
  for (const [name, text] of Object.entries(fields)) event[name] = NUMBERS.has(name) ? Number(text) : text;
  // Entries have no nulls.
  if (event.type === "ended") Object.assign(event, { bid_id: null, bidder_id: null, amount: null, ...event });
  return eventSchema.parse(event);
}

/** What to append for an event; its `outbox_id` is the outbox's to give. */
export function fieldsOf(event: AuctionEvent): Record<string, string> {
  const { outbox_id: _, ...fields } = event;
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
  );
}

/** Negative when `a` is the older one. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aSeq = 0] = a.split("-").map(Number);
  const [bMs = 0, bSeq = 0] = b.split("-").map(Number);
  return aMs - bMs || aSeq - bSeq;
}
