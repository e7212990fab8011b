/**
 * The archiver: takes events as they are delivered and archives them batch by batch, when it is its turn. Others like it stand
 * by. Whatever it needs may go away and come back: nothing is acknowledged meanwhile, and no more is held than before.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable } from "@parallax/service";
import type { Deliveries, EventSource, Turn } from "../domain/archiving.ts";
import { type ArchiveParts, archiveBatch } from "./archive-batch.ts";
import { DeliveryBuffer } from "./buffer.ts";

export interface ArchiverParts extends ArchiveParts {
  readonly source: EventSource;
  readonly turn: Turn;
  /** Events written together at the most. */
  readonly batch: number;
  /** Milliseconds that the first event of a batch waits for others. */
  readonly waitMs: number;
  /** Milliseconds between two sweeps of the list of auctions; 10 s by default. */
  readonly sweepMs?: number;
}

export interface Archiver {
  /** Whether it is its turn. */
  readonly active: boolean;
  /** Finishes what has begun, acknowledges what is committed, gives the rest back. */
  stop(): Promise<void>;
}

/** Batches that may be delivered: one is written, the next is there, and the one after that on its way. */
const BATCHES_AHEAD = 3;
const RETRY_MS = { first: 100, most: 5000 };
const SWEEP_MS = 10_000;
const SWEPT_AT_ONCE = 1000;

export function startArchiver(parts: ArchiverParts): Archiver {
  const { turn, logger, metrics, outbox, sweepMs = SWEEP_MS } = parts;
  const stopping = new AbortController();
  let active = false;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const taken = await turn.take(stopping.signal);
      const signal = AbortSignal.any([stopping.signal, taken.lost]);
      active = true;
      metrics.active.set(1);
      logger.info("this archiver is the active one");
      const sweeping = sweep(signal);
      await archiveWhile(parts, signal);
      await sweeping;
      active = false;
      metrics.active.set(0);
      await taken.end();
    }
  }

  /** Takes auctions whose time is over from the list of all. */
  async function sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const swept = await outbox.sweep(SWEPT_AT_ONCE).catch((error: unknown) => {
        if (!(error instanceof DependencyUnavailable)) logger.error({ err: error }, "the sweep failed");
        return 0;
      });
      if (swept < SWEPT_AT_ONCE) await sleep(sweepMs, undefined, { signal }).catch(() => {});
    }
  }

  const done = run().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return {
    get active() {
      return active;
    },
    async stop() {
      stopping.abort(new Error("The archiver is stopping"));
      await done;
    },
  };
}

/** One session after the other, each on a connection of its own, until `signal` aborts. */
async function archiveWhile(parts: ArchiverParts, signal: AbortSignal): Promise<void> {
  const { logger, metrics } = parts;
  for (let failures = 0; !signal.aborted; ) {
    try {
      await session(parts, signal, () => {
        failures = 0;
      });
    } catch (error) {
      if (signal.aborted) return;
      metrics.failures.inc({ what: "nats" });
      if (!(error instanceof DependencyUnavailable)) logger.error({ err: error }, "archiving failed");
      else if (failures === 0) logger.warn({ err: error }, "no events are delivered; trying on");
      failures += 1;
      const pause = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(failures, 20));
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
  }
}

/** @throws the reason for its end */
async function session(parts: ArchiverParts, signal: AbortSignal, onBatch: () => void): Promise<void> {
  const { source, metrics, batch, waitMs } = parts;
  const most = batch * BATCHES_AHEAD;
  const buffer = new DeliveryBuffer({ batch, waitMs, most: most * 2 });
  const deliveries = await source.open(most, (delivery) => buffer.add(delivery));
  const either = AbortSignal.any([signal, deliveries.ended]);
  let inHand: Awaited<ReturnType<DeliveryBuffer["next"]>> = [];
  const keeping = keepAlive(deliveries, (ms) => [...inHand, ...buffer.waitingFor(ms)]);
  const held = setInterval(() => metrics.held.set(inHand.length + buffer.length), 500);
  try {
    for (;;) {
      inHand = await buffer.next(either);
      await archiveBatch(inHand, parts, either);
      inHand = [];
      onBatch();
    }
  } finally {
    clearInterval(keeping);
    clearInterval(held);
    metrics.held.set(0);
    await deliveries.stop();
    // What has been settled is not settled again.
    for (const delivery of [...inHand, ...buffer.clear()]) delivery.giveBack();
  }
}

/** What waits is not delivered again while it does. */
function keepAlive(
  { patienceMs }: Deliveries,
  waiting: (ms: number) => readonly { keep(): void }[],
): NodeJS.Timeout {
  const everyMs = patienceMs / 3;
  return setInterval(() => {
    for (const delivery of waiting(everyMs / 2)) delivery.keep();
  }, everyMs);
}
