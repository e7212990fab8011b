/** What the receiver answers, for its OpenAPI document. */

import { Conflict, DependencyUnavailable, KeyInUse, KeyReused } from "@parallax/service";
import { z } from "zod";
import { orderIdSchema } from "../domain/order.ts";
import type { OrderState } from "../domain/ports.ts";

export const orderSchema = z
  .object({
    order_id: orderIdSchema,
    customer_id: z.string(),
    status: z.enum(["processing", "completed", "abandoned"]).meta({
      description:
        "`abandoned`: it was to be paid while its customer waited, and was not; nothing is charged. It can be sent again.",
    }),
    total_minor: z.int().min(0).meta({ description: "In minor units: the sum of quantity × price." }),
    accepted_at: z.iso.datetime(),
    completed_at: z.exactOptional(z.iso.datetime()),
    charge_id: z.exactOptional(z.string()),
    attempts: z.int().min(1).meta({ description: "Times that the processing of this order was begun." }),
  })
  .meta({ id: "Order" }) satisfies z.ZodType<OrderState>;

export const acceptedSchema = z
  .object({ order_id: orderIdSchema, status: z.literal("accepted") })
  .meta({ id: "AcceptedOrder" });

export const orderPathSchema = z.object({ id: orderIdSchema });

const replayed = {
  "Idempotency-Replayed": z
    .literal("true")
    .optional()
    .meta({ description: "This is the first answer again; nothing was done now." }),
};

/** What both ways of placing an order take and tell besides. */
export const idempotentOperation = {
  headers: z.object({
    "Idempotency-Key": z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/)
      .optional()
      .meta({
        description:
          "The same key and body again within 24 hours: the first answer again. Another body: 422. Still running: 409.",
      }),
  }),
  problems: [Conflict, DependencyUnavailable, KeyInUse, KeyReused],
  problemHeaders: { 409: replayed, 422: replayed },
} as const;

export const placedHeaders = {
  Location: z.string().meta({ description: "Where to ask what became of the order." }),
  ...replayed,
};

export const noStore = {
  "Cache-Control": z.literal("no-store").optional().meta({ description: "It may be another one soon." }),
};
