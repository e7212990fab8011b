/** The relay of a gateway: of all gateways one leads, by a lease in Redis that it renews, and relays the outbox. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable } from "@parallax/service";
import type { Lease } from "../../domain/outbox.ts";
import { type RelayOutboxParts, relayOutbox } from "./relay-outbox.ts";

export interface RelayParts extends RelayOutboxParts {
  readonly lease: Lease;
  /** After which another gateway relays in place of one that does nothing any more; 3 s by default. */
  readonly leaseMs?: number;
}

export interface Relay {
  readonly leads: boolean;
  /** Waits for what is on its way, and lets another gateway lead at once. */
  stop(): Promise<void>;
}

const LEASE_MS = 3000;
const STATE_MS = 1000;

export function startRelay(parts: RelayParts): Relay {
  const { lease, outbox, logger, metrics, leaseMs = LEASE_MS } = parts;
  const holder = randomUUID();
  const stopping = new AbortController();
  const { signal } = stopping;
  let leads = false;

  /** @returns whether it leads until `leaseMs` from before it asked */
  async function hold(): Promise<boolean> {
    try {
      return await lease.hold(holder, leaseMs);
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) logger.error({ err: error }, "the relay's lease failed");
      metrics.failures.inc({ what: "lease" });
      return false;
    }
  }

  async function lead(): Promise<void> {
    const over = new AbortController();
    const relaying = relayOutbox(parts, AbortSignal.any([signal, over.signal]));
    for (let heldAt = performance.now(); !signal.aborted; ) {
      await sleep(leaseMs / 3, undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
      const asked = performance.now();
      if (await hold()) heldAt = asked;
      // One that cannot ask leads on for as long as it was given.
      else if (performance.now() - heldAt >= leaseMs) break;
    }
    over.abort(new Error("Another gateway relays"));
    await relaying;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (await hold()) {
        leads = true;
        metrics.leader.set(1);
        logger.info("this gateway relays the outbox");
        await lead();
        leads = false;
        metrics.leader.set(0);
      } else {
        await sleep(leaseMs / 3, undefined, { signal }).catch(() => {});
      }
    }
    await lease.end(holder).catch(() => {});
  }

  async function observe(): Promise<void> {
    while (!signal.aborted) {
      await outbox.state().then(metrics.outbox, () => {});
      await sleep(STATE_MS, undefined, { signal }).catch(() => {});
    }
  }

  const done = Promise.all([run(), observe()]);
  return {
    get leads() {
      return leads;
    },
    async stop() {
      stopping.abort(new Error("The gateway is stopping"));
      await done;
    },
  };
}
