/** Helpers of this service's tests: its parts on real ports with in-memory twins, and orders to send. */

import { connect } from "node:net";
import { MemoryBroker } from "@parallax/messaging";
import { createMetrics, listen } from "@parallax/service";
import { silentLogger } from "@parallax/testkit";
import fc from "fast-check";
import { MemoryLedger } from "../src/adapters/ledgers.ts";
import { MemoryOrderStore } from "../src/adapters/memory-order-store.ts";
import type { Order } from "../src/domain/order.ts";
import { createPayments } from "../src/payments/app.ts";
import { createReceiver } from "../src/receiver/app.ts";

/** Whoever can register a cleanup: a tap test. */
export interface Test {
  teardown(release: () => unknown): void;
}

export async function startReceiver(t: Test, maxInFlight = 2000) {
  const broker = new MemoryBroker();
  const store = new MemoryOrderStore();
  const metrics = createMetrics("receiver");
  const app = createReceiver({ broker, store, logger: silentLogger(), metrics, maxInFlight });
  const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.close(100));
  return { broker, store, metrics, url: server.url, port: server.port };
}

export interface PaymentsSettings {
  readonly paymentSeconds?: number;
  readonly concurrency?: number;
  readonly lineLimit?: number;
  readonly ledger?: MemoryLedger;
}

export async function startPayments(t: Test, settings: PaymentsSettings = {}) {
  const ledger = settings.ledger ?? new MemoryLedger();
  const app = createPayments({
    paymentSeconds: 0,
    concurrency: 0,
    lineLimit: 10_000,
    logger: silentLogger(),
    metrics: createMetrics("payments"),
    ...settings,
    ledger,
  });
  const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.close(100));
  return { ledger, url: server.url, server };
}

export const goodOrder = {
  customer_id: "customer-1",
  items: [{ product_id: "book", quantity: 2, price: 19.99 }],
};

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
}

/** Sends `bytes` and ends its side; resolves to all that came back, rejects when the connection was reset. */
export function exchange(port: number, bytes: string | Buffer): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let text = "";
    socket.setEncoding("latin1").on("data", (part) => {
      text += part;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve({ status: Number(text.split(" ")[1]), text }));
    socket.end(bytes);
  });
}

export function anOrder(changes: Partial<Order> = {}): Order {
  return {
    order_id: "order-1",
    customer_id: "customer-1",
    items: [{ product_id: "book", quantity: 2, price: 19.99 }],
    total_minor: 3998,
    accepted_at: "2026-01-02T03:04:05.678Z",
    ...changes,
  };
}

/** Prices as a person writes them: whole cents below a million, with the double that JSON makes of them. */
export const cents = fc.integer({ min: 0, max: 100_000_000 });

export const anyItem = fc
  .record({
    product_id: fc.stringMatching(/^[a-zA-Z0-9é日]{1,20}$/),
    quantity: fc.integer({ min: 1, max: 10_000 }),
    cents,
  })
  .map(({ product_id, quantity, cents }) => ({ product_id, quantity, cents, price: Number(`${cents}e-2`) }));
