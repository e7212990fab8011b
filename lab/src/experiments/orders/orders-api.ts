/** The public APIs of orders, as a client uses them. Answers are checked, since verdicts rest on them. */

import { Pool } from "undici";
import { z } from "zod";
import type { Runtime } from "../../runtimes/runtime.ts";
import { call, PATIENCE, parse, unexpected } from "../json-api.ts";

const orderSchema = z.object({
  order_id: z.string(),
  status: z.enum(["processing", "completed", "abandoned"]),
  total_minor: z.number(),
  attempts: z.number(),
  charge_id: z.string().optional(),
  completed_at: z.string().optional(),
});

const acceptedSchema = z.object({ order_id: z.string(), status: z.literal("accepted") });

const chargeSchema = z.object({
  seq: z.number(),
  charge_id: z.string(),
  order_id: z.string(),
  amount_minor: z.number(),
  charged_at: z.string(),
});

const pageSchema = z.object({ charges: z.array(chargeSchema), next_after: z.number().nullable() });

const summarySchema = z.object({
  charges: z.number(),
  last_seq: z.number(),
  waiting: z.number(),
  in_progress: z.number(),
  most_in_progress: z.number(),
});

export type FoundOrder = z.output<typeof orderSchema>;
export type Charge = z.output<typeof chargeSchema>;

const CONNECTIONS = 32;
const PAGE = 1000;

/** @throws LabError COMMAND_FAILED when a service does not answer as documented */
export class OrdersApi implements AsyncDisposable {
  readonly #receiver: Pool;
  readonly #payments: Pool;

  /** Those of the lab that runs. */
  static of(runtime: Pick<Runtime, "endpoint">): OrdersApi {
    return new OrdersApi({
      receiver: runtime.endpoint("orders-receiver"),
      payments: runtime.endpoint("orders-payments"),
    });
  }

  constructor(urls: { readonly receiver: string; readonly payments: string }) {
    const options = { connections: CONNECTIONS, ...PATIENCE };
    this.#receiver = new Pool(urls.receiver, options);
    this.#payments = new Pool(urls.payments, options);
  }

  async placeOrder(order: object): Promise<{ order_id: string }> {
    const answer = await call(this.#receiver, "POST", "/orders/async", { body: order });
    if (answer.status !== 202) throw unexpected("POST /orders/async", answer);
    return parse(acceptedSchema, "POST /orders/async", answer);
  }

  /**
   * Resolves once the order is paid.
   * @param patience milliseconds; it may wait in the provider's line
   */
  async placeOrderSync(order: object, patience: number): Promise<FoundOrder> {
    const answer = await call(this.#receiver, "POST", "/orders/sync", {
      body: order,
      headersTimeout: patience,
    });
    if (answer.status !== 200) throw unexpected("POST /orders/sync", answer);
    return parse(orderSchema, "POST /orders/sync", answer);
  }

  /** Undefined while the order is unknown. */
  async findOrder(id: string): Promise<FoundOrder | undefined> {
    const path = `/orders/${encodeURIComponent(id)}`;
    const answer = await call(this.#receiver, "GET", path);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw unexpected(`GET ${path}`, answer);
    return parse(orderSchema, `GET ${path}`, answer);
  }

  /** Looks all up, as many at once as there are connections. */
  async findOrders(ids: Iterable<string>, signal?: AbortSignal): Promise<Map<string, FoundOrder>> {
    const found = new Map<string, FoundOrder>();
    const left = [...ids].values();
    const worker = async () => {
      for (const id of left) {
        signal?.throwIfAborted();
        const order = await this.findOrder(id);
        if (order) found.set(id, order);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    return found;
  }

  async findCharge(orderId: string): Promise<Omit<Charge, "seq"> | undefined> {
    const path = `/ledger/${encodeURIComponent(orderId)}`;
    const answer = await call(this.#payments, "GET", path);
    if (answer.status === 404) return undefined;
    return parse(chargeSchema.omit({ seq: true }), `GET ${path}`, answer);
  }

  async ledgerSummary() {
    return parse(summarySchema, "GET /ledger/summary", await call(this.#payments, "GET", "/ledger/summary"));
  }

  /** All charges after `seq`, oldest first. */
  async chargesAfter(seq: number): Promise<Charge[]> {
    const charges: Charge[] = [];
    for (let after: number | null = seq; after !== null; ) {
      const path: string = `/ledger?after=${after}&limit=${PAGE}`;
      const page: z.output<typeof pageSchema> = parse(
        pageSchema,
        path,
        await call(this.#payments, "GET", path),
      );
      charges.push(...page.charges);
      after = page.next_after;
    }
    return charges;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#receiver.destroy(), this.#payments.destroy()]);
  }
}
