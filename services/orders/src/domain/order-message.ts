/** An order on its way through a broker. */

import type { OutgoingMessage } from "@parallax/messaging";
import { PermanentFailure } from "@parallax/messaging/errors";
import { z } from "zod";
import { nameSchema, type Order, orderIdSchema } from "./order.ts";

/** A reader refuses versions that it does not know: they reach the dead-letter queue, not the floor. */
const VERSION = 1;

const messageSchema = z.object({
  version: z.literal(VERSION),
  order: z.object({
    order_id: orderIdSchema,
    customer_id: nameSchema,
    items: z
      .array(z.object({ product_id: nameSchema, quantity: z.int().min(1), price: z.number().min(0) }))
      .min(1),
    total_minor: z.int().min(0),
    accepted_at: z.iso.datetime(),
  }),
});

export function encodeOrder(order: Order, traceparent: string): OutgoingMessage {
  return { body: JSON.stringify({ version: VERSION, order }), attributes: { traceparent } };
}

/** @throws PermanentFailure when the body is no order: no further delivery can change that */
export function decodeOrder(body: string): Order {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new PermanentFailure("The message is not JSON", { cause: error });
  }
  const parsed = messageSchema.safeParse(value);
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join(".") || "body").join(", ");
    throw new PermanentFailure(`The message is not an order; wrong: ${where}`, { cause: parsed.error });
  }
  return parsed.data.order;
}
