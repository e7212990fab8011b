/**
 * The outbox: events in the order in which they took effect, from when they did until they are archived. Who relays it and
 * who removes from it need different things of it, so it has an interface for each.
 */

import type { AuctionEvent } from "./events.ts";

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

/** Where the events go. */
export interface EventPublisher {
  /** Resolves when the event is kept. @throws DependencyUnavailable: it may be kept or not */
  publish(event: AuctionEvent): Promise<{ readonly seq: number; readonly duplicate: boolean }>;
  /** Makes what keeps the events where there is none, and tells about it. @throws DependencyUnavailable */
  inspect(): Promise<StreamState>;
  /** Resolves when there is a connection. @throws the signal's reason */
  ready(signal: AbortSignal): Promise<unknown>;
}

/** What keeps the published events until they are archived. */
export interface StreamState {
  /** Another one once it has been made anew. */
  readonly identity: string;
  /** Rises with each event that it keeps. */
  readonly lastSeq: number;
  /** Events that are not archived yet. */
  readonly waiting: number;
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

/**
 * The event that an entry holds. Whoever takes the event in the end checks it (`decodeEvent`); here it is only made sure
 * that it can be sent there.
 * @throws TypeError for what is no event at all
 */
export function eventOf({ id, fields }: OutboxEntry): AuctionEvent {
  const { type, auction_id, bid_id } = fields;
  const known = type === "opened" || type === "ended" || (type === "bid" && bid_id);
  if (!known || !auction_id || /[^\w-]/.test(auction_id)) throw new TypeError(`Entry ${id} is no event`);
  const event: Record<string, unknown> = { outbox_id: id };
  // Entries have no nulls.
  if (type === "ended") Object.assign(event, { bid_id: null, bidder_id: null, amount: null });
  for (const name in fields) event[name] = NUMBERS.has(name) ? Number(fields[name]) : fields[name];
  return event as AuctionEvent;
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
