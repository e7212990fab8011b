/** An auction as its hash in Redis holds it; see adapters/keys.ts. */

import type { Auction, AuctionState, Standing } from "../domain/auction.ts";

/** What is read of it, in this order. */
export const FIELDS = [
  "item",
  "starting_price",
  "min_increment",
  "created_at",
  "ends_at",
  "ended_at",
  "seq",
  "amount",
  "bid_id",
  "bidder_id",
] as const;

/** The values of `FIELDS`, or nothing at all. */
export type Fields = readonly (string | null)[];

/** What of it is there; undefined where there is none. */
export function readFields(
  auctionId: string,
  fields: Fields,
): (Auction & Standing & { readonly endedAt: number | null }) | undefined {
  const [item, startingPrice, minIncrement, createdAt, endsAt, endedAt, seq, amount, bidId, bidderId] =
    fields;
  if (typeof item !== "string") return undefined;
  return {
    auctionId,
    item,
    startingPrice: Number(startingPrice),
    minIncrement: Number(minIncrement),
    createdAt: Number(createdAt),
    endsAt: Number(endsAt),
    endedAt: typeof endedAt === "string" ? Number(endedAt) : null,
    seq: Number(seq),
    highest: amount && bidId && bidderId ? { amount: Number(amount), bidId, bidderId } : null,
  };
}

/** How it stands at `now`; undefined where there is none. */
export function asState(auctionId: string, fields: Fields, now: number): AuctionState | undefined {
  const read = readFields(auctionId, fields);
  if (!read) return undefined;
  const { endedAt, ...auction } = read;
  return { ...auction, status: endedAt !== null || now >= auction.endsAt ? "ended" : "open" };
}

/** Of TIME: seconds and microseconds. */
export function millis([seconds, micros]: readonly (number | string)[]): number {
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}
