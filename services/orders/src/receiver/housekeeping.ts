/**
 * What a receiver does beside answering, every few seconds: it renews its lease, settles orders whose customers
 * no longer wait and whose end is not on record, its own as well as those of receivers that were killed, and
 * removes idempotency keys that are out of retention. Each round is bounded, several receivers may do it at
 * once, and what cannot be done stands in the way of nothing else.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable, type Logger, type Metrics, newTrace, traceparent } from "@parallax/service";
import type { IdempotencyKeys, Leases, UnsettledOrder } from "../domain/ports.ts";
import { ForeignCharge, type SettleParts, settle } from "../domain/settle.ts";

export interface HousekeepingParts extends SettleParts {
  readonly leases: Leases;
  readonly keys: IdempotencyKeys;
  readonly instance: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds between two rounds; 3 s by default. */
  readonly everyMs?: number;
}

export interface Housekeeping {
  /** An order of this receiver whose end is not known. `gone`: nor does its customer wait to be told. */
  onUnsettled(order: { order_id: string; attempt: number; gone: boolean }): void;
  /** Does in the next round what failed for want of the database. One that fails for another reason is dropped. */
  retryLater(task: () => Promise<void>): void;
  /** The lease is there from then on. @throws DependencyUnavailable */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const EVERY_MS = 3000;
/** Rounds that may fail until others hold this receiver to be dead. */
const LEASE_ROUNDS = 5;
const MOST_AT_ONCE = 100;
/** More in three seconds than a receiver takes in, so that their number does not grow for ever. */
const MOST_KEYS_AT_ONCE = 10_000;
/** Tasks put off to the next round, and customers gone. What tasks beyond are about is found once its time is over. */
const MOST_REMEMBERED = 10_000;
const FOREIGN_CHARGE_SECONDS = 3600;
/** After what nobody has expected, which may be a mistake here. */
const UNEXPECTED_SECONDS = 60;
/** An order that the provider has no answer to waits so many rounds: others are asked about meanwhile. */
const UNANSWERED_ROUNDS = 5;
/** So many in one round, and the provider is out. */
const MOST_UNANSWERED = 3;

export function createHousekeeping(parts: HousekeepingParts): Housekeeping {
  const { store, leases, keys, instance, logger, metrics, everyMs = EVERY_MS } = parts;
  const settled = metrics.counter(
    "orders_settled_total",
    "Orders settled after their customers, by outcome.",
    ["outcome"],
  );
  const stopping = new AbortController();
  const { signal } = stopping;
  let remembered: (() => Promise<void>)[] = [];
  /** Orders whose customers had hung up before their end was known. */
  const gone = new Set<string>();
  let done: Promise<unknown> = Promise.resolve();
  let failures = 0;

  const renew = () => leases.renew(instance, (everyMs * LEASE_ROUNDS) / 1000);

  async function round(): Promise<void> {
    // First of all: after an outage it must not take its own customers for those of one that was killed.
    await renew();
    const errors: unknown[] = [];
    for (const part of [doRemembered, () => keys.clean(MOST_KEYS_AT_ONCE), settleUnsettled]) {
      signal.throwIfAborted();
      await part().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0)
      throw errors.find((error) => !(error instanceof DependencyUnavailable)) ?? errors[0];
  }

  async function doRemembered(): Promise<void> {
    while (remembered[0]) {
      try {
        await remembered[0]();
      } catch (error) {
        if (error instanceof DependencyUnavailable) throw error;
        logger.error({ err: error }, "what was put off cannot be done, and is dropped");
      }
      remembered.shift();
    }
  }

  async function settleUnsettled(): Promise<void> {
    const unanswered: unknown[] = [];
    for (const order of await store.unsettled(MOST_AT_ONCE)) {
      signal.throwIfAborted();
      try {
        await settleOne(order);
      } catch (error) {
        if (signal.aborted || !(error instanceof DependencyUnavailable)) throw error;
        unanswered.push(error);
        // When it is the database that is out, this ends the round.
        await store.settleIn((everyMs * UNANSWERED_ROUNDS) / 1000, order);
        if (unanswered.length === MOST_UNANSWERED) break;
      }
    }
    if (unanswered.length > 0) throw unanswered[0];
  }

  /** @throws DependencyUnavailable */
  async function settleOne(order: UnsettledOrder): Promise<void> {
    try {
      const outcome = await settle(order, parts, { signal, traceparent: traceparent(newTrace()) });
      const label = outcome === "completed" && gone.has(order.order_id) ? "abandoned_charged" : outcome;
      settled.inc({ outcome: label });
      logger.info({ order_id: order.order_id, outcome: label }, "order settled");
      if (outcome !== "in_progress") gone.delete(order.order_id);
      // To the end of the line, so that it does not stand in the way of those that can be settled.
      if (outcome === "in_progress" || outcome === "left") await store.settleIn(everyMs / 1000, order);
    } catch (error) {
      if (signal.aborted || error instanceof DependencyUnavailable) throw error;
      const foreign = error instanceof ForeignCharge;
      settled.inc({ outcome: foreign ? "foreign_charge" : "failed" });
      const what = foreign ? "the ledger contradicts this order" : "this order cannot be settled";
      logger.error({ err: error, order_id: order.order_id }, what);
      await store.settleIn(foreign ? FOREIGN_CHARGE_SECONDS : UNEXPECTED_SECONDS, order);
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await round();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const expected = error instanceof DependencyUnavailable;
        if (!expected) logger.error({ err: error }, "housekeeping failed");
        else if (failures === 1) logger.warn({ err: error }, "orders cannot be settled now; trying on");
      }
      await sleep(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Beside the rounds: one that waits for a slow provider or database may take longer than a lease. */
  async function keepLease(): Promise<void> {
    for (;;) {
      await sleep(everyMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      // What is wrong is told by the round, which fails by it too.
      await renew().catch(() => {});
    }
  }

  function retryLater(task: () => Promise<void>): void {
    if (remembered.length < MOST_REMEMBERED) remembered.push(task);
  }

  return {
    onUnsettled({ gone: hasGone, ...order }) {
      if (hasGone) gone.add(order.order_id);
      // The oldest one, which another receiver has settled.
      const [oldest] = gone;
      if (gone.size > MOST_REMEMBERED && oldest !== undefined) gone.delete(oldest);
      retryLater(() => store.settleIn(0, order));
    },
    retryLater,
    async start() {
      await renew();
      done = Promise.all([run(), keepLease()]);
    },
    async stop() {
      stopping.abort(new Error("The receiver is stopping"));
      await done;
      // Best effort: what is left is found when the lease ends, or its time is over.
      try {
        await doRemembered();
        await leases.end(instance);
      } catch (error) {
        logger.warn({ err: error }, "the lease could not be ended; it runs out");
      }
      remembered = [];
    },
  };
}
