/** The in-memory twin of the order store and of the leases, for tests. */

import { DependencyUnavailable } from "@parallax/service";
import type { Order } from "../domain/order.ts";
import type {
  Begun,
  Charge,
  Keeper,
  Leases,
  OrderState,
  SyncOrderStore,
  UnsettledOrder,
} from "../domain/ports.ts";

interface Entry {
  readonly order: Order;
  readonly fingerprint: string;
  attempts: number;
  abandoned?: boolean;
  charge?: Charge;
  completedAt?: string;
  /** Undefined where a queue sees the order through. */
  unsettled?: { readonly keeper: string | undefined; readonly after: number } | undefined;
}

export class MemoryOrderStore implements SyncOrderStore, Leases {
  readonly orders = new Map<string, Entry>();
  readonly #aliveUntil = new Map<string, number>();
  /** While true, every call fails as it does when the database is out. */
  out = false;

  async begin(order: Order, fingerprint: string, keeper?: Keeper): Promise<Begun> {
    this.#requireUp();
    const unsettled = keeper && { keeper: keeper.instance, after: inFuture(keeper.settleAfterSeconds) };
    const entry = this.orders.get(order.order_id);
    if (!entry) {
      this.orders.set(order.order_id, { order, fingerprint, attempts: 1, unsettled });
      return { outcome: "begun", attempt: 1, promised: !unsettled };
    }
    if (entry.fingerprint !== fingerprint) return { outcome: "conflict" };
    entry.attempts += 1;
    if (entry.charge) return { outcome: "completed" };
    const promised = !entry.abandoned && !entry.unsettled;
    entry.abandoned = false;
    entry.unsettled = promised ? undefined : unsettled;
    return { outcome: "begun", attempt: entry.attempts, promised: !entry.unsettled };
  }

  async complete(charge: Charge): Promise<"completed" | "already"> {
    this.#requireUp();
    const entry = this.orders.get(charge.order_id);
    if (!entry) throw new Error(`Order ${charge.order_id} was never begun`);
    if (entry.charge) return "already";
    Object.assign(entry, { charge, abandoned: false, unsettled: undefined });
    entry.completedAt = new Date().toISOString();
    return "completed";
  }

  async abandon(orderId: string, attempt: number): Promise<boolean> {
    this.#requireUp();
    const entry = this.orders.get(orderId);
    if (entry?.attempts !== attempt || entry.charge || !entry.unsettled) return false;
    Object.assign(entry, { abandoned: true, unsettled: undefined });
    return true;
  }

  async settleIn(seconds: number, { order_id, attempt }: { order_id: string; attempt: number }) {
    this.#requireUp();
    const entry = this.orders.get(order_id);
    if (entry?.attempts !== attempt || !entry.unsettled) return;
    entry.unsettled = { keeper: undefined, after: inFuture(seconds) };
  }

  async unsettled(limit: number): Promise<readonly UnsettledOrder[]> {
    this.#requireUp();
    const now = performance.now();
    return [...this.orders.values()]
      .filter(
        ({ unsettled }) =>
          unsettled && (unsettled.after <= now || (unsettled.keeper && !this.isAlive(unsettled.keeper))),
      )
      .sort((a, b) => (a.unsettled?.after ?? 0) - (b.unsettled?.after ?? 0))
      .slice(0, limit)
      .map(({ order: { order_id, total_minor }, attempts }) => ({
        order_id,
        total_minor,
        attempt: attempts,
      }));
  }

  async find(orderId: string): Promise<OrderState | undefined> {
    this.#requireUp();
    const entry = this.orders.get(orderId);
    if (!entry) return undefined;
    const { order_id, customer_id, total_minor, accepted_at } = entry.order;
    const base = { order_id, customer_id, total_minor, accepted_at, attempts: entry.attempts };
    if (!entry.charge || !entry.completedAt) {
      return { ...base, status: entry.abandoned ? "abandoned" : "processing" };
    }
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

  async renew(instance: string, seconds: number): Promise<void> {
    this.#requireUp();
    this.#aliveUntil.set(instance, inFuture(seconds));
  }

  async end(instance: string): Promise<void> {
    this.#requireUp();
    this.#aliveUntil.delete(instance);
  }

  isAlive(instance: string): boolean {
    return (this.#aliveUntil.get(instance) ?? 0) > performance.now();
  }

  #requireUp(): void {
    if (this.out) throw new DependencyUnavailable("The in-memory store is out");
  }
}

function inFuture(seconds: number): number {
  return performance.now() + seconds * 1000;
}
