/** The orders pipeline in containers of a suite: the three services from their image, Postgres, an emulator. */

import { randomUUID } from "node:crypto";
import { type Broker, connectSnsSqs } from "@parallax/messaging";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { OrdersApi } from "../../lab/src/experiments/orders/orders-api.ts";
import { emulatorAccess } from "../../packages/messaging/test/contract/brokers.ts";
import type { ContainerSuite, RunningContainer } from "./containers.ts";
import type { EmulatorContainer } from "./emulators.ts";
import { labDefinition } from "./lab-definitions.ts";

/** Small, so that what a killed processor had in hand comes back soon. */
export const VISIBILITY_SECONDS = 2;
/** Of the services, unless told. */
export const MAX_RECEIVE_COUNT = 5;
const SETTLE_MS = 60_000;

export const ordersServices = ["orders-receiver", "orders-payments", "orders-processor"] as const;
export type OrdersService = (typeof ordersServices)[number];

export class OrdersPipeline {
  readonly postgres: RunningContainer;
  readonly emulator: EmulatorContainer;
  readonly services: Readonly<Record<OrdersService, RunningContainer>>;
  readonly api: OrdersApi;
  /** The pipeline's own topic and queues, for looking at them and for publishing what the receiver would refuse. */
  readonly broker: Broker;

  /** Up and healthy; what is in the suite goes with it, the rest when `t` ends. */
  static async start(
    t: Test,
    suite: ContainerSuite,
    startEmulator: (suite: ContainerSuite) => Promise<EmulatorContainer>,
  ): Promise<OrdersPipeline> {
    const [postgres, emulator] = await Promise.all([
      suite.run("postgres", await labDefinition("postgres")),
      startEmulator(suite),
    ]);
    const environment = {
      PAYMENT_SECONDS: "0.3",
      PAYMENT_CONCURRENCY: "0",
      // Few enough that a hundred orders take seconds, in the middle of which something can be killed.
      NUM_WORKERS: "10",
      VISIBILITY_TIMEOUT_SECONDS: String(VISIBILITY_SECONDS),
    };
    const started = await Promise.all(
      ordersServices.map(
        async (name) => [name, await suite.run(name, await labDefinition(name), { environment })] as const,
      ),
    );
    const services = Object.fromEntries(started) as Record<OrdersService, RunningContainer>;
    const pipeline = new OrdersPipeline(postgres, emulator, services);
    t.teardown(() => Promise.all([pipeline.api, pipeline.broker].map((it) => it[Symbol.asyncDispose]())));
    return pipeline;
  }

  private constructor(
    postgres: RunningContainer,
    emulator: EmulatorContainer,
    services: Readonly<Record<OrdersService, RunningContainer>>,
  ) {
    this.postgres = postgres;
    this.emulator = emulator;
    this.services = services;
    const payments = `http://127.0.0.1:${services["orders-payments"].port(8090)}`;
    this.api = new OrdersApi({ receiver: this.receiverUrl, payments });
    this.broker = connectSnsSqs({
      ...emulatorAccess,
      endpoint: emulator.endpoint,
      topic: "order-processing-events",
      queue: "order-processing-queue",
      visibilitySeconds: VISIBILITY_SECONDS,
      waitSeconds: 1,
      maxReceiveCount: MAX_RECEIVE_COUNT,
    });
  }

  get receiverUrl(): string {
    return `http://127.0.0.1:${this.services["orders-receiver"].port(8080)}`;
  }

  /** Resolves to the ids of `count` orders that were answered 202. */
  async accept(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    await Promise.all(ids.map((id) => this.api.placeOrder(anOrder(id))));
    return ids;
  }

  /**
   * Queues orders while the processor is stopped, lets `end` end the emulator, and starts both again.
   * @returns ids of what was queued then, and of `count` orders that were accepted after it
   */
  async acrossRestart(
    end: (emulator: RunningContainer) => Promise<unknown>,
    count: number,
  ): Promise<{ queued: string[]; later: string[] }> {
    const processor = this.services["orders-processor"];
    const { container } = this.emulator;
    await processor.stop(30);
    const queued = await this.accept(20);
    await end(container);
    await container.start();
    await processor.start();
    return { queued, later: await waitFor("orders to be accepted again", () => this.accept(count), 30_000) };
  }

  /** How many of these orders will never be completed, once later ones are. */
  async lost(queued: readonly string[]): Promise<number> {
    return queued.length - (await this.completed(queued)).length;
  }

  /** The answer to an order as a client sees it, whatever it is. */
  async post(body: unknown): Promise<Response> {
    return await fetch(`${this.receiverUrl}/orders/async`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  async completed(ids: readonly string[]): Promise<string[]> {
    const found = await this.api.findOrders(ids);
    return ids.filter((id) => found.get(id)?.status === "completed");
  }

  /** Waits until all are completed, then holds the ledger against them: one charge each, of the order's own amount. */
  async allPaidOnce(t: Test, ids: readonly string[], since: number): Promise<void> {
    await waitFor(
      `${ids.length} orders to be completed`,
      async () => (await this.completed(ids)).length === ids.length,
      SETTLE_MS,
    );
    const orders = await this.api.findOrders(ids);
    const charges = (await this.api.chargesAfter(since)).filter(({ order_id }) => orders.has(order_id));
    t.same(charges.map(({ order_id }) => order_id).sort(), [...ids].sort(), "one charge for each order");
    const agree = charges.every(({ order_id, charge_id, amount_minor }) => {
      const order = orders.get(order_id);
      return order?.charge_id === charge_id && order.total_minor === amount_minor;
    });
    t.ok(agree, "charges and orders agree on charge id and amount");
  }

  /** Where the ledger ends now. */
  async ledgerEnd(): Promise<number> {
    return (await this.api.ledgerSummary()).last_seq;
  }

  /** How often the processing of an order was begun. */
  async attempts(id: string): Promise<number> {
    const answer = await fetch(`${this.receiverUrl}/orders/${id}`);
    return ((await answer.json()) as { attempts: number }).attempts;
  }

  /** How many deliveries the processor has failed to handle. */
  async failedDeliveries(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.services["orders-processor"].port(8091)}/metrics`);
    const line = /^orders_consumer_errors_total\{[^}]*what="handle"[^}]*\} (\d+)$/m.exec(await answer.text());
    return Number(line?.[1] ?? 0);
  }
}

export function anOrder(order_id: string) {
  return { order_id, customer_id: "c", items: [{ product_id: "p", quantity: 3, price: 1.25 }] };
}
