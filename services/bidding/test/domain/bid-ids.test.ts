/** A bid that the gateway takes must be one that the archive takes: what is accepted and is no event would never be archived. */

import fc from "fast-check";
import t from "tap";
import { type AuctionEvent, decodeEvent, encodeEvent } from "../../src/domain/events.ts";
import { acceptedBidSchema, bidRequestSchema } from "../../src/gateway/schemas.ts";

const event: AuctionEvent = {
  type: "bid",
  auction_id: "01900000-0000-7000-8000-000000000001",
  at: 1,
  outbox_id: "1-0",
  seq: 1,
  bid_id: "",
  bidder_id: "ann",
  amount: 100,
};

/** Of any version and variant, also of none that is registered. */
const anyId = fc
  .stringMatching(/^[0-9a-fA-F]{32}$/)
  .map((hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"));

t.test("property: whatever bid_id is taken is one that events and answers can carry", async (t) => {
  fc.assert(
    fc.property(anyId, (id) => {
      const request = { bidder_id: "ann", amount: 100, bid_id: id };
      const { bid_id = "" } = bidRequestSchema.parse(request);
      acceptedBidSchema.parse({ bid_id, seq: 1, amount: 100 });
      const sent = { ...event, bid_id };
      return bid_id === id.toLowerCase() && decodeEvent(encodeEvent(sent)).type === "bid";
    }),
    { examples: [["11111111-1111-1111-1111-111111111111"], ["0f8fad5b-d9cb-969f-c165-70867728950e"]] },
  );
  t.pass();
});
