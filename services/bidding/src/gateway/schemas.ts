/** What the gateway takes and answers. */

import { z } from "zod";
import { MOST_AMOUNT } from "../domain/auction.ts";

// Letters of any script, digits, punctuation, spaces inside: nothing that could move a terminal's cursor.
const PRINTABLE = /^(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]+(?<!\s)$/u;

const printable = (most: number) =>
  z
    .string("must be text")
    .min(1, { error: "must not be empty", abort: true })
    .max(most, `must have ${most} characters at the most`)
    .regex(PRINTABLE, "must be printable characters, with no white space at its ends");

const bidderIdSchema = printable(64);
const itemSchema = printable(200);

/** As they are written canonically: the same one in other letters would be another key. */
export const idSchema = z
  .string("must be a UUID")
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "must be a UUID")
  .toLowerCase()
  .meta({ format: "uuid" });

const amountSchema = z
  .int("must be a whole number, of the smallest unit of the currency")
  .min(1, "must be at least 1")
  .max(MOST_AMOUNT, `must be ${MOST_AMOUNT} at the most`);

// With an offset it may be in the year 10000, which ISO 8601 writes in another way.
const instant = z.iso
  .datetime({ offset: true, error: "must be a time such as 2026-01-31T12:00:00Z", abort: true })
  .refine((text) => Date.parse(text) <= Date.UTC(9999, 11, 31), "must be in the year 9999 at the latest");

export const auctionRequestSchema = z
  .strictObject({
    item: itemSchema,
    starting_price: amountSchema,
    min_increment: amountSchema,
    ends_at: instant.meta({ description: "In the future, by the clock of the auctions' store." }),
  })
  .meta({ id: "AuctionRequest" });

export const bidRequestSchema = z
  .strictObject({
    bidder_id: bidderIdSchema,
    amount: amountSchema,
    bid_id: idSchema.optional().meta({
      description:
        "A UUID, the bid's own in this auction. The same bid again gets the same answer and has one effect, also when it was refused; another bidder or amount under it is refused with 422. One is made where there is none.",
    }),
  })
  .meta({ id: "BidRequest" });

const seq = z.int().min(0).meta({ description: "Of the last accepted bid: 1, 2, 3 …; 0 before the first." });

export const auctionSchema = z
  .object({
    auction_id: z.uuid(),
    item: z.string(),
    starting_price: z.int(),
    min_increment: z.int(),
    created_at: z.iso.datetime(),
    ends_at: z.iso.datetime(),
    status: z.enum(["open", "ended"]),
    seq,
    highest: z.int().nullable().meta({ description: "The highest amount; null before the first bid." }),
    bidder_id: z.string().nullable().meta({ description: "The highest bidder." }),
    bid_id: z.guid().nullable().meta({ description: "The highest bid." }),
    least: z.number().meta({
      description: `The lowest amount that would be accepted next. Above ${MOST_AMOUNT}, which is the highest amount there is, no bid can be accepted any more.`,
    }),
  })
  .meta({ id: "Auction" });

export const auctionPageSchema = z.object({
  auctions: z.array(auctionSchema),
  next_cursor: z.uuid().nullable().meta({ description: "`cursor` of the next page; null on the last one." }),
});

export const acceptedBidSchema = z
  .object({ bid_id: z.guid(), seq: z.int().min(1), amount: z.int() })
  .meta({ id: "AcceptedBid" });

export const bidPageSchema = z.object({
  bids: z.array(
    z
      .object({
        seq: z.int().min(1),
        bid_id: z.guid(),
        bidder_id: z.string(),
        amount: z.int(),
        at: z.iso.datetime(),
      })
      .meta({ id: "Bid" }),
  ),
  next_cursor: z.int().nullable().meta({ description: "`cursor` of the next page; null on the last one." }),
});

export const auctionPathSchema = z.object({ id: z.uuid() });

/** A whole number in a query, where everything is text. */
const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string("must be given once")
    .regex(/^\d{1,16}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be from ${minimum} to ${maximum}`)
    .meta({
      override: ({ jsonSchema }) => {
        delete jsonSchema.pattern;
        Object.assign(jsonSchema, { type: "integer", minimum, maximum });
      },
    });

const limit = wholeNumber(1, 1000).default(100);

export const auctionsQuerySchema = z.strictObject({
  limit,
  cursor: idSchema.optional().meta({ description: "The `next_cursor` of the page before." }),
});

export const bidsQuerySchema = z.strictObject({
  limit,
  cursor: wholeNumber(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .meta({ description: "The `next_cursor` of the page before: only bids with a lower seq." }),
});

export const noStore = {
  "Cache-Control": z.literal("no-store").optional().meta({ description: "It may be another one soon." }),
};
