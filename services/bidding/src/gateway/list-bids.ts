/** `GET /auctions/{id}/bids`: the accepted bids that the archive has so far, newest first, page by page. */

import { type Context, validate } from "@parallax/service";
import { lookUp, type Readers } from "./find-auction.ts";
import { noAuction } from "./place-bid.ts";
import { bidsQuerySchema, idSchema } from "./schemas.ts";

export function listBids(readers: Readers) {
  return async (ctx: Context): Promise<void> => {
    const { limit, cursor = Number.MAX_SAFE_INTEGER } = validate(bidsQuerySchema, ctx.query);
    const id = idSchema.safeParse(ctx.params.id);
    if (!id.success) throw noAuction();
    ctx.state.log = { auction_id: id.data };
    const bids = await readers.archive.bidsBefore(id.data, cursor, limit);
    if (bids.length === 0 && !(await lookUp(readers, id.data))) throw noAuction();
    const last = bids.at(-1)?.seq ?? 1;
    ctx.set("Cache-Control", "no-store");
    ctx.body = {
      bids: bids.map(({ seq, bidId, bidderId, amount, at }) => ({
        seq,
        bid_id: bidId,
        bidder_id: bidderId,
        amount,
        at: new Date(at).toISOString(),
      })),
      next_cursor: bids.length === limit && last > 1 ? last : null,
    };
  };
}
