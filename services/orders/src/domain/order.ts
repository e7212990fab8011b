/**
 * An order, as a customer sends it and as it travels.
 *
 * Terms
 * - minor units: money as a whole number of the currency's smallest unit (cents).
 * - fingerprint: what makes two orders with the same id the same order.
 */

import { createHash } from "node:crypto";
import { z } from "zod";

// Letters of any script, digits, punctuation, spaces inside: nothing that could move a terminal's cursor, and
// no non-characters, some of which SQS refuses.
const PRINTABLE = /^(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]+(?<!\s)$/u;

/** A customer's or a product's id. */
export const nameSchema = z
  .string()
  .min(1, "must not be empty")
  .max(64, "must have 64 characters at the most")
  .regex(PRINTABLE, "must be printable characters, with no white space at its ends");

/** An id that fits a path, a queue's attribute and a log line. */
export const orderIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/,
    "must be 1 to 64 letters, digits or . _ : - and begin with a letter or digit",
  );

const itemSchema = z.strictObject({
  product_id: nameSchema,
  quantity: z
    .int("must be a whole number")
    .min(1, "must be at least 1")
    .max(10_000, "must be 10000 at the most"),
  price: z
    .number("must be a number")
    .min(0, "must not be negative")
    .max(1_000_000, "must be 1000000 at the most")
    .refine((price) => Math.round(price * 100) / 100 === price, "must have two decimals at the most")
    .meta({ description: "Two decimals at the most." }),
});

/** The body of `POST /orders/async` and of `POST /orders/sync`. */
export const orderRequestSchema = z
  .strictObject({
    order_id: orderIdSchema.optional(),
    customer_id: nameSchema,
    items: z
      .array(itemSchema)
      .min(1, "must have at least one item")
      .max(100, "must have 100 items at the most"),
  })
  .meta({ id: "OrderRequest" });

export type OrderRequest = z.output<typeof orderRequestSchema>;

export interface Order {
  readonly order_id: string;
  readonly customer_id: string;
  readonly items: readonly {
    readonly product_id: string;
    readonly quantity: number;
    readonly price: number;
  }[];
  /** The sum of quantity × price, in minor units. */
  readonly total_minor: number;
  /** ISO 8601. */
  readonly accepted_at: string;
}

/** @param acceptedAt ISO 8601 */
export function acceptOrder(request: OrderRequest, orderId: string, acceptedAt: string): Order {
  const { customer_id, items } = request;
  // At most 100 × 10,000 × 10^8 = 10^14, well within what a number holds exactly.
  const total_minor = items.reduce((sum, { quantity, price }) => sum + quantity * Math.round(price * 100), 0);
  return { order_id: orderId, customer_id, items, total_minor, accepted_at: acceptedAt };
}

/** Two orders with one id are the same order when customer and items are, whenever each was accepted. */
export function fingerprint(order: Order): string {
  const items = order.items.map(({ product_id, quantity, price }) => [product_id, quantity, price]);
  return createHash("sha256")
    .update(JSON.stringify([order.customer_id, items]))
    .digest("base64url");
}
