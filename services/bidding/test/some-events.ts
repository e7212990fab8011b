/** Events for tests. */

import { randomUUID } from "node:crypto";
import type { NewEvent } from "../src/adapters/memory-outbox.ts";
import type { AuctionEvent } from "../src/domain/events.ts";

const AT = Date.parse("2026-11-21T06:39:00.123Z");
let entries = 0;

/** As the outbox gives them. */
function entryId(): string {
  entries += 1;
  return `${AT}-${entries}`;
}

export function anOpened(auction_id: string = randomUUID()) {
  return {
    type: "opened",
    auction_id,
    at: AT,
    outbox_id: entryId(),
    item: "a lamp",
    starting_price: 100,
    min_increment: 10,
    ends_at: AT + 60_000,
  } as const satisfies AuctionEvent;
}

export function aBid(auction_id: string, seq: number, given: { bid_id?: string; bidder_id?: string } = {}) {
  return {
    type: "bid",
    auction_id,
    at: AT + seq,
    outbox_id: entryId(),
    seq,
    bid_id: given.bid_id ?? randomUUID(),
    bidder_id: given.bidder_id ?? `bidder ${seq}`,
    amount: 90 + 10 * seq,
  } as const satisfies AuctionEvent;
}

/** @param last the winner, if there is one */
export function anEnded(auction_id: string, last?: ReturnType<typeof aBid>) {
  return {
    type: "ended",
    auction_id,
    at: AT + 60_001,
    outbox_id: entryId(),
    seq: last?.seq ?? 0,
    bid_id: last?.bid_id ?? null,
    bidder_id: last?.bidder_id ?? null,
    amount: last?.amount ?? null,
  } as const satisfies AuctionEvent;
}

/** All that happens to an auction with so many bids, in order. */
export function aStory(bids: number, auctionId: string = randomUUID()): AuctionEvent[] {
  const accepted = Array.from({ length: bids }, (_, at) => aBid(auctionId, at + 1));
  return [anOpened(auctionId), ...accepted, anEnded(auctionId, accepted.at(-1))];
}

/** Without its entry, for an outbox to append. */
export function toAppend(event: AuctionEvent): NewEvent {
  const { outbox_id: _, ...rest } = event;
  return rest as NewEvent;
}
