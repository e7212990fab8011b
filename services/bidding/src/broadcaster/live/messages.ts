/**
 * What is said over the WebSocket: one JSON object a message, from the broadcaster to the watcher only. First a snapshot, then prices, then
 * that the auction has ended. `at` is when it was so, by Redis's clock. In between, where there is nothing to say, a tick.
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

/** Says only that the broadcaster is there: pings are not shown to a page's script, and a broadcaster that hangs closes nothing. */
export const tickSchema = z.object({ type: z.literal("tick") });

/** Of silence, after which it is said. A page that has heard nothing for 2.5 of these takes it for hung (page/live.js). */
export const TICK_SECONDS = 5;

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

export function tick(): string {
  return JSON.stringify({ type: "tick" } satisfies z.output<typeof tickSchema>);
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
