/** The in-memory twin of the order store, for tests. */

import { DependencyUnavailable } from "@parallax/service";
import type { Order } from "../domain/order.ts";
import type { Charge, OrderState, OrderStore } from "../domain/ports.ts";

interface Entry {
  readonly order: Order;
  readonly fingerprint: string;
  attempts: number;
  charge?: Charge;
  completedAt?: string;
}

export class MemoryOrderStore implements OrderStore {
  readonly orders = new Map<string, Entry>();
  /** While true, every call fails as it does when the database is out. */
  out = false;

  async begin(order: Order, fingerprint: string): Promise<"begun" | "completed" | "conflict"> {
    this.#requireUp();
    const entry = this.orders.get(order.order_id) ?? { order, fingerprint, attempts: 0 };
    this.orders.set(order.order_id, entry);
    entry.attempts += 1;
    if (entry.fingerprint !== fingerprint) return "conflict";
    return entry.charge ? "completed" : "begun";
  }

  async complete(charge: Charge): Promise<"completed" | "already"> {
    this.#requireUp();
    const entry = this.orders.get(charge.order_id);
    if (!entry) throw new Error(`Order ${charge.order_id} was never begun`);
    if (entry.charge) return "already";
    entry.charge = charge;
    entry.completedAt = new Date().toISOString();
    return "completed";
  }

  async find(orderId: string): Promise<OrderState | undefined> {
    this.#requireUp();
    const entry = this.orders.get(orderId);
    if (!entry) return undefined;
    const { order_id, customer_id, total_minor, accepted_at } = entry.order;
    const base = { order_id, customer_id, total_minor, accepted_at, attempts: entry.attempts };
    if (!entry.charge || !entry.completedAt) return { ...base, status: "processing" };
    return {
      ...base,
      status: "completed",
      completed_at: entry.completedAt,
      charge_id: entry.charge.charge_id,
    };
  }

  async check(): Promise<void> {
    this.#requireUp();
  }

  #requireUp(): void {
    if (this.out) throw new DependencyUnavailable("The in-memory store is out");
  }
}
