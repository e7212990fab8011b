/** What the payment provider takes and answers. */

import { z } from "zod";
import { orderIdSchema } from "../domain/order.ts";
import type { Charge, LedgerEntry } from "../domain/ports.ts";

/** What Postgres's integer holds. */
const MOST_ATTEMPTS = 2 ** 31 - 1;

const attempt = "Which attempt at this order asks; a cancellation closes the order to all up to its own.";

export const chargeRequestSchema = z
  .strictObject({
    order_id: orderIdSchema.meta({ description: "The idempotency key: an order is charged once." }),
    amount_minor: z.int("must be a whole number of minor units").min(0).max(1e14),
    attempt: z
      .int("must be a whole number")
      .min(1)
      .max(MOST_ATTEMPTS)
      .default(1)
      .meta({ description: attempt }),
  })
  .meta({ id: "ChargeRequest" });

export const chargeSchema = z
  .object({
    charge_id: z.string(),
    order_id: orderIdSchema,
    amount_minor: z.int().min(0),
    charged_at: z.iso.datetime(),
  })
  .meta({ id: "Charge" }) satisfies z.ZodType<Charge>;

const entrySchema = z
  .object({
    ...chargeSchema.shape,
    seq: z.int().min(1).meta({ description: "Rises with each charge; gaps are possible." }),
  })
  .meta({ id: "LedgerEntry" }) satisfies z.ZodType<LedgerEntry>;

export const ledgerPageSchema = z.object({
  charges: z.array(entrySchema),
  next_after: z.int().nullable().meta({ description: "`after` of the next page; null on the last one." }),
});

export const ledgerSummarySchema = z.object({
  charges: z.int().min(0),
  amount_minor: z.int().min(0),
  last_seq: z.int().min(0),
  waiting: z.int().min(0),
  in_progress: z.int().min(0),
  most_in_progress: z.int().min(0).meta({ description: "The most that were ever made at once." }),
});

export const cancellationSchema = z.discriminatedUnion("status", [
  z.object({ order_id: orderIdSchema, status: z.literal("dropped") }).meta({
    description: "There is no charge, and no attempt up to this one will ever make one.",
  }),
  z.object({ order_id: orderIdSchema, status: z.literal("in_progress") }).meta({
    description: "The payment has begun and will be made.",
  }),
  z.object({ order_id: orderIdSchema, status: z.literal("superseded") }).meta({
    description: "A later attempt is in line, and was not touched.",
  }),
  z.object({ order_id: orderIdSchema, status: z.literal("charged"), charge: chargeSchema }),
]);

/** A whole number in a query, where everything is text. */
const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be from ${minimum} to ${maximum}`)
    .meta({
      override: ({ jsonSchema }) => {
        delete jsonSchema.pattern;
        Object.assign(jsonSchema, { type: "integer", minimum, maximum });
      },
    });

export const orderPathSchema = z.object({ id: orderIdSchema });

export const cancellationQuerySchema = z.strictObject({
  attempt: wholeNumber(1, MOST_ATTEMPTS).meta({ description: attempt }),
});

export const pageQuerySchema = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: wholeNumber(1, 1000).default(100),
});
