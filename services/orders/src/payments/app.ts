/** The payment provider's HTTP API: charges, and the ledger that judges every run. */

import {
  Cancelled,
  Conflict,
  type Context,
  callerGone,
  createApp,
  DependencyUnavailable,
  defineApi,
  jsonBody,
  type Logger,
  type Metrics,
  NotFound,
  type Tracing,
  validate,
} from "@parallax/service";
import { aboutPart } from "../domain/about.ts";
import { orderIdSchema } from "../domain/order.ts";
import type { Ledger } from "../domain/ports.ts";
import { Cashier } from "./cashier.ts";
import { Line } from "./line.ts";
import {
  cancellationQuerySchema,
  cancellationSchema,
  chargeRequestSchema,
  chargeSchema,
  ledgerPageSchema,
  ledgerSummarySchema,
  orderPathSchema,
  pageQuerySchema,
} from "./schemas.ts";

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

  async function charge(ctx: Context): Promise<void> {
    const request = validate(chargeRequestSchema, await jsonBody(ctx));
    ctx.state.log = { order_id: request.order_id };
    const { charge, repeated } = await cashier.charge(request, callerGone(ctx));
    charges.inc({ repeated: String(repeated) });
    ctx.status = repeated ? 200 : 201;
    ctx.body = charge;
  }

  async function cancel(ctx: Context): Promise<void> {
    const { attempt } = validate(cancellationQuerySchema, ctx.query);
    const id = orderIdSchema.safeParse(ctx.params.id);
    if (!id.success) throw new NotFound("No order can have this id.");
    ctx.state.log = { order_id: id.data };
    const cancellation = await cashier.cancel(id.data, attempt);
    cancellations.inc({ status: cancellation.status });
    ctx.body = { order_id: id.data, ...cancellation };
  }

  async function readLedger(ctx: Context): Promise<void> {
    const { after, limit } = validate(pageQuerySchema, ctx.query);
    const page = await ledger.page(after, limit);
    ctx.body = { charges: page, next_after: page.length === limit ? page.at(-1)?.seq : null };
  }

  async function sumUp(ctx: Context): Promise<void> {
    const totals = await ledger.totals();
    ctx.body = {
      ...totals,
      waiting: line.waiting,
      in_progress: line.inside,
      most_in_progress: line.mostInside,
    };
  }

  async function findCharge(ctx: Context): Promise<void> {
    const id = orderIdSchema.safeParse(ctx.params.id);
    const charge = id.success ? await ledger.find(id.data) : undefined;
    if (!charge) throw new NotFound("No charge stands for this order.");
    ctx.body = charge;
  }

  const api = defineApi(aboutPart("payments", "The payment provider, simulated, and its ledger."), [
    {
      method: "post",
      path: "/payments",
      id: "charge",
      summary: "Charge an order; the answer waits in the provider's line",
      description: "Whoever hangs up before the payment has begun leaves the line.",
      body: chargeRequestSchema,
      answers: {
        200: { description: "It was charged before: the same charge.", schema: chargeSchema },
        201: { description: "It is charged.", schema: chargeSchema },
      },
      problems: [Conflict, Cancelled, DependencyUnavailable],
      handle: charge,
    },
    {
      method: "delete",
      path: "/payments/{id}",
      id: "cancel",
      summary: "See to it that an order is not charged, unless it is too late",
      params: orderPathSchema,
      query: cancellationQuerySchema,
      answers: { 200: { description: "What came of it.", schema: cancellationSchema } },
      problems: [NotFound, DependencyUnavailable],
      handle: cancel,
    },
    {
      method: "get",
      path: "/ledger",
      id: "readLedger",
      summary: "Charges, oldest first, page by page",
      query: pageQuerySchema,
      answers: { 200: { description: "A page.", schema: ledgerPageSchema } },
      problems: [DependencyUnavailable],
      handle: readLedger,
    },
    {
      method: "get",
      path: "/ledger/summary",
      id: "sumUp",
      summary: "All charges added up, and the line as it is now",
      answers: { 200: { description: "The sums.", schema: ledgerSummarySchema } },
      problems: [DependencyUnavailable],
      handle: sumUp,
    },
    {
      method: "get",
      path: "/ledger/{id}",
      id: "findCharge",
      summary: "The charge for an order",
      params: orderPathSchema,
      answers: { 200: { description: "It stands.", schema: chargeSchema } },
      problems: [NotFound, DependencyUnavailable],
      handle: findCharge,
    },
  ]);

  return createApp({
    logger,
    metrics,
    router: api.router,
    document: api.document,
    tracing: parts.tracing,
    readiness: [{ name: "ledger", check: () => ledger.check() }],
    // Everybody who waits in line is a request in flight.
    maxInFlight: parts.lineLimit + 1000,
  });
}
