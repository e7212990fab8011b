/**
 * What happens to auctions, as it is told to the rest of the system: Redis's outbox → JetStream → the archive and the live prices.
 *
 * An event is appended to the outbox by the script that brings its effect about, so that there is none without the
 * other. From then on it may be delivered more than once and, after a relay has begun anew, out of order: whoever takes it must not
 * mind. `outboxId` is the entry to remove once the event is archived.
 */

import { z } from "zod";

const amount = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
/** A bidder's own, of whatever version: what the gateway accepts must be an event, else it would never be archived. */
const bidId = z.guid();
const common = {
  auction_id: z.uuid(),
  /** Milliseconds since the epoch, by Redis's clock. */
  at: z.int().min(0),
  /** Id of the outbox's entry, such as 1763706000123-0. */
  outbox_id: z.string().regex(/^\d+-\d+$/),
};

const openedSchema = z.object({
  type: z.literal("opened"),
  ...common,
  item: z.string(),
  starting_price: amount,
  min_increment: amount,
  ends_at: z.int().min(0),
});

const bidSchema = z.object({
  type: z.literal("bid"),
  ...common,
  seq: z.int().min(1),
  bid_id: bidId,
  bidder_id: z.string(),
  amount,
});

const endedSchema = z.object({
  type: z.literal("ended"),
  ...common,
  /** Of the winning bid; 0 and nulls where nobody bid. */
  seq: z.int().min(0),
  bid_id: bidId.nullable(),
  bidder_id: z.string().nullable(),
  amount: amount.nullable(),
});

const eventSchema = z.discriminatedUnion("type", [openedSchema, bidSchema, endedSchema]);
export type AuctionEvent = z.output<typeof eventSchema>;

/**
 * The message's `Nats-Msg-Id`, the same each time that an event is published. By bid and not by `seq`: should Redis ever lose what it had
 * acknowledged and give a `seq` out again, the second bid must not be taken for the first.
 */
export function messageId(event: AuctionEvent): string {
  return event.type === "bid" ? `${event.auction_id}:${event.bid_id}` : `${event.auction_id}:${event.type}`;
}

export function encodeEvent(event: AuctionEvent): string {
  return JSON.stringify(event);
}

/** @throws SyntaxError or ZodError for what is no event */
export function decodeEvent(text: string): AuctionEvent {
  return eventSchema.parse(JSON.parse(text));
}
