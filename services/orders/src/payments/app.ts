/** The payment provider's HTTP API: charges, and the ledger that judges every run. */

import {
  callerGone,
  createApp,
  jsonBody,
  type Logger,
  type Metrics,
  NotFound,
  Router,
  type ServiceState,
  type Tracing,
  validate,
} from "@parallax/service";
import { z } from "zod";
import { orderIdSchema } from "../domain/order.ts";
import type { Ledger } from "../domain/ports.ts";
import { Cashier } from "./cashier.ts";
import { Line } from "./line.ts";

/** What Postgres's integer holds. */
const MOST_ATTEMPTS = 2 ** 31 - 1;

const chargeSchema = z.strictObject({
  order_id: orderIdSchema,
  amount_minor: z.int("must be a whole number of minor units").min(0).max(1e14),
  attempt: z.int("must be a whole number").min(1).max(MOST_ATTEMPTS).default(1),
});

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be from ${least} to ${most}`);

const pageSchema = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: wholeNumber(1, 1000).default(100),
});

const cancellationSchema = z.strictObject({ attempt: wholeNumber(1, MOST_ATTEMPTS) });

export interface PaymentsParts {
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
  readonly paymentSeconds: number;
  /** 0: no limit. */
  readonly concurrency: number;
  readonly lineLimit: number;
}

export function createPayments(parts: PaymentsParts) {
  const { ledger, logger, metrics } = parts;
  const line = new Line(parts.concurrency, parts.lineLimit);
  const cashier = new Cashier({ ledger, line, paymentSeconds: parts.paymentSeconds });
  const charges = metrics.counter("payments_charges_total", "Answered charges.", ["repeated"]);
  const cancellations = metrics.counter("payments_cancellations_total", "Answered cancellations.", [
    "status",
  ]);
  metrics.gauge("payments_waiting", "Payments waiting in line.", () => line.waiting);
  metrics.gauge("payments_in_progress", "Payments being made.", () => line.inside);
  const router = new Router<ServiceState>();

  router.post("/payments", async (ctx) => {
    const request = validate(chargeSchema, await jsonBody(ctx));
    ctx.state.log = { order_id: request.order_id };
    const { charge, repeated } = await cashier.charge(request, callerGone(ctx));
    charges.inc({ repeated: String(repeated) });
    ctx.status = repeated ? 200 : 201;
    ctx.body = charge;
  });

  router.delete("/payments/:id", async (ctx) => {
    const { attempt } = validate(cancellationSchema, ctx.query);
    const id = orderIdSchema.safeParse(ctx.params.id);
    if (!id.success) throw new NotFound("No order can have this id.");
    ctx.state.log = { order_id: id.data };
    const cancellation = await cashier.cancel(id.data, attempt);
    cancellations.inc({ status: cancellation.status });
    ctx.body = { order_id: id.data, ...cancellation };
  });

  router.get("/ledger", async (ctx) => {
    const { after, limit } = validate(pageSchema, ctx.query);
    const page = await ledger.page(after, limit);
    ctx.body = { charges: page, next_after: page.length === limit ? page.at(-1)?.seq : null };
  });

  router.get("/ledger/summary", async (ctx) => {
    const totals = await ledger.totals();
    ctx.body = {
      ...totals,
      waiting: line.waiting,
      in_progress: line.inside,
      most_in_progress: line.mostInside,
    };
  });

  router.get("/ledger/:id", async (ctx) => {
    const id = orderIdSchema.safeParse(ctx.params.id);
    const charge = id.success ? await ledger.find(id.data) : undefined;
    if (!charge) throw new NotFound("No charge stands for this order.");
    ctx.body = charge;
  });

  return createApp({
    logger,
    metrics,
    router,
    tracing: parts.tracing,
    readiness: [{ name: "ledger", check: () => ledger.check() }],
    // Everybody who waits in line is a request in flight.
    maxInFlight: parts.lineLimit + 1000,
  });
}
