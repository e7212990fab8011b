/** `GET /auctions/{id}` and `GET /auctions`: auctions as they stand. */

import { type Context, validate } from "@parallax/service";
import type { AuctionState } from "../domain/auction.ts";
import type { Archive, Auctions } from "../domain/ports.ts";
import { noAuction } from "./place-bid.ts";
import { presentAuction } from "./present-auction.ts";
import { auctionsQuerySchema, idSchema } from "./schemas.ts";

export interface Readers {
  readonly auctions: Auctions;
  readonly archive: Archive;
}

export function findAuction(readers: Readers) {
  return async (ctx: Context): Promise<void> => {
    const id = idSchema.safeParse(ctx.params.id);
    const auction = id.success ? await lookUp(readers, id.data) : undefined;
    if (!auction) throw noAuction();
    ctx.state.log = { auction_id: auction.auctionId };
    ctx.set("Cache-Control", "no-store");
    ctx.body = presentAuction(auction);
  };
}

export function listAuctions({ auctions }: Pick<Readers, "auctions">) {
  return async (ctx: Context): Promise<void> => {
    const { limit, cursor } = validate(auctionsQuerySchema, ctx.query);
    const page = await auctions.page(limit, cursor);
    ctx.set("Cache-Control", "no-store");
    ctx.body = { auctions: page.auctions.map(presentAuction), next_cursor: page.next ?? null };
  };
}

/** Where it can be bid on, or else in the archive, once its end is there. */
export async function lookUp({ auctions, archive }: Readers, id: string): Promise<AuctionState | undefined> {
  const auction = await auctions.find(id);
  if (auction) return auction;
  const archived = await archive.findAuction(id);
  // One that has not ended must be where it can be bid on; if it is not, it is lost.
  return archived && archived.endedAt !== null ? archived : undefined;
}
