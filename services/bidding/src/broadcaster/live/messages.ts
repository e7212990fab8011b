/**
 * What is said over the WebSocket: one JSON object a message, from the broadcaster to the watcher only. First a snapshot, then prices, then
 * that the auction has ended. `at` is when it was so, by Redis's clock.
 */

import { z } from "zod";
import type { AuctionState } from "../../domain/auction.ts";

const standing = {
  auction_id: z.uuid(),
  /** Number of the highest bid; it never goes back within a connection. */
  seq: z.int().min(0),
  highest: z.int().nullable(),
  /** Whose bid it is. */
  bidder_id: z.string().nullable(),
  at: z.iso.datetime(),
};

export const liveMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("snapshot"),
    ...standing,
    item: z.string(),
    status: z.enum(["open", "ended"]),
    starting_price: z.int(),
    min_increment: z.int(),
    ends_at: z.iso.datetime(),
  }),
  z.object({ type: z.literal("price"), ...standing }),
  z.object({ type: z.literal("ended"), ...standing }),
]);

export type LiveMessage = z.output<typeof liveMessageSchema>;

/** An auction, and when it was so. */
export interface Observed extends AuctionState {
  readonly at: number;
}

export function snapshotOf(state: Observed): string {
  return JSON.stringify({
    type: "snapshot",
    ...standingOf(state),
    item: state.item,
    status: state.status,
    starting_price: state.startingPrice,
    min_increment: state.minIncrement,
    ends_at: new Date(state.endsAt).toISOString(),
  } satisfies LiveMessage);
}

/** The price, or how the auction ended. */
export function newsOf(state: Observed): string {
  const type = state.status === "ended" ? "ended" : "price";
  return JSON.stringify({ type, ...standingOf(state) } satisfies LiveMessage);
}

function standingOf({ auctionId, seq, highest, at }: Observed) {
  return {
    auction_id: auctionId,
    seq,
    highest: highest?.amount ?? null,
    bidder_id: highest?.bidderId ?? null,
    at: new Date(at).toISOString(),
  };
}
