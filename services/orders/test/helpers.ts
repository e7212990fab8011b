/** Helpers of this service's tests: its parts on real ports with in-memory twins, and orders to send. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { MemoryBroker } from "@parallax/messaging";
import { type App, createMetrics, listen } from "@parallax/service";
import { type OpenApi, silentLogger, waitFor, witnessAnswers } from "@parallax/testkit";
import fc from "fast-check";
import { httpPaymentProvider } from "../src/adapters/http-payment-provider.ts";
import { MemoryIdempotencyKeys } from "../src/adapters/idempotency-keys.ts";
import { MemoryLedger } from "../src/adapters/ledgers.ts";
import { MemoryOrderStore } from "../src/adapters/memory-order-store.ts";
import type { Order } from "../src/domain/order.ts";
import type { Charge } from "../src/domain/ports.ts";
import { createPayments } from "../src/payments/app.ts";
import { createReceiver } from "../src/receiver/app.ts";
import { createHousekeeping } from "../src/receiver/housekeeping.ts";
import { SyncDesk, type SyncDeskParts } from "../src/receiver/sync-desk.ts";

/** Whoever can register a cleanup: a tap test. */
export interface Test {
  teardown(release: () => unknown): void;
}

export interface ReceiverSettings
  extends Partial<Pick<SyncDeskParts, "abandon" | "timeoutSeconds" | "limit">> {
  readonly maxInFlight?: number;
  readonly store?: MemoryOrderStore;
  readonly keys?: MemoryIdempotencyKeys;
  /** Where payments are made; nowhere unless told. */
  readonly paymentsUrl?: string;
  /** Milliseconds between two rounds of housekeeping. */
  readonly everyMs?: number;
}

export async function startReceiver(t: Test, settings: ReceiverSettings = {}) {
  const { maxInFlight = 2000, store = new MemoryOrderStore(), abandon = "drop", everyMs = 20 } = settings;
  const broker = new MemoryBroker();
  const metrics = createMetrics("receiver");
  const logger = silentLogger();
  const instance = randomUUID();
  const payments = httpPaymentProvider({
    url: settings.paymentsUrl ?? "http://127.0.0.1:1",
    connections: 100,
    timeoutSeconds: 60,
  });
  const keys = settings.keys ?? new MemoryIdempotencyKeys((instance) => store.isAlive(instance));
  const housekeeping = createHousekeeping({
    store,
    leases: store,
    keys,
    payments,
    instance,
    logger,
    metrics,
    everyMs,
  });
  await housekeeping.start();
  const desk = new SyncDesk({
    store,
    payments,
    instance,
    abandon,
    timeoutSeconds: settings.timeoutSeconds ?? 60,
    limit: settings.limit ?? 1000,
    logger,
    metrics,
    onUnsettled: housekeeping.onUnsettled,
  });
  const { retryLater } = housekeeping;
  const idempotency = { keys, instance, lockSeconds: 60, retryLater };
  const app = createReceiver({ broker, store, desk, idempotency, logger, metrics, maxInFlight });
  const server = await listenTruly(t, app, "receiver");
  t.teardown(async () => {
    await desk.stop(1000);
    await housekeeping.stop();
    await payments[Symbol.asyncDispose]();
  });
  return { app, broker, store, keys, metrics, desk, instance, url: server.url, port: server.port };
}

/** The documents of the parts that this process has served; two of one part are the same. */
const documents = new Map<string, Promise<OpenApi>>();

/** Serves `app` until the test ends; every answer must be true to its OpenAPI document. */
async function listenTruly(t: Test, app: App, part: "receiver" | "payments") {
  const document = documents.get(part) ?? documentOf(app);
  documents.set(part, document);
  const witness = witnessAnswers(app.callback, await document);
  const server = await listen(witness.listener, { host: "127.0.0.1", port: 0 });
  t.teardown(async () => {
    await server.close(100);
    assert.deepEqual(witness.untrue, [], "every answer is true to the document");
  });
  return server;
}

export async function documentOf(app: App): Promise<OpenApi> {
  const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  try {
    const answer = await fetch(`${server.url}/openapi.json`);
    assert.equal(answer.status, 200);
    return (await answer.json()) as OpenApi;
  } finally {
    await server.close(0);
  }
}

/** A ledger that records when it is told to: a payment that takes as long as the test needs. */
export class HeldLedger extends MemoryLedger {
  readonly #held = Promise.withResolvers<void>();
  recording = 0;
  readonly release = this.#held.resolve;

  override async record(charge: Charge, attempt: number): Promise<Charge> {
    this.recording += 1;
    await this.#held.promise;
    return await super.record(charge, attempt);
  }
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
  const server = await listenTruly(t, app, "payments");
  return { app, ledger, url: server.url, server };
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

/** A receiver before a payment provider whose payments go on until they are released, and what was counted. */
export async function startBoth(t: Test, payments: PaymentsSettings = {}, receiver: ReceiverSettings = {}) {
  const ledger = new HeldLedger();
  const provider = await startPayments(t, { concurrency: 1, ...payments, ledger });
  const it = await startReceiver(t, { ...receiver, paymentsUrl: provider.url });
  const place = (id: string | undefined, init: RequestInit = {}, changes: object = {}) =>
    fetch(`${it.url}/orders/sync`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...goodOrder, ...(id && { order_id: id }), ...changes }),
      ...init,
    });
  const line = async () =>
    (await (await fetch(`${provider.url}/ledger/summary`)).json()) as Record<string, number>;
  const begun = () => waitFor("a payment to begin", async () => (await line()).in_progress === 1);
  let ahead: Promise<Response> | undefined;
  const inLine = () => waitFor("one to stand in line", async () => (await line()).waiting === 1);
  return {
    ...it,
    ledger,
    paymentsUrl: provider.url,
    place,
    begun,
    inLine,
    line,
    /** An order whose customer can hang up. */
    placeAndHangUp(id: string): () => void {
      const gone = new AbortController();
      place(id, { signal: gone.signal }).catch(() => {});
      return () => gone.abort();
    },
    /** Keeps everybody else in line until the ledger is released. */
    async holdLine(): Promise<void> {
      ahead = post(`${provider.url}/payments`, { order_id: "ahead", amount_minor: 1 });
      ahead.catch(() => {});
      await begun();
    },
    /** The answer to who held the line. */
    ahead: () => ahead,
    charged: () => ledger.entries.map(({ order_id }) => order_id),
    status: async (id: string) => (await it.store.find(id))?.status,
    outcomes: () => countsOf(it.url, "orders_sync_total", "outcome"),
    settled: () => countsOf(it.url, "orders_settled_total", "outcome"),
    cancellations: () => countsOf(provider.url, "payments_cancellations_total", "status"),
  };
}

/** What a counter of the service at `url` says, by `label`. */
async function countsOf(url: string, counter: string, label: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(new RegExp(`^${counter}\\{.*${label}="(\\w+)".*\\} (\\d+)$`, "gm"));
  return Object.fromEntries([...lines].map(([, value, count]) => [value, Number(count)]));
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
