/**
 * A batch's way into the archive: committed first, then removed from the outbox, and only then acknowledged, so that it is
 * delivered again after whatever comes in between. What is written twice is there once.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable, type Logger } from "@parallax/service";
import { type ArchiveStore, DataRefused, type Delivery } from "../domain/archiving.ts";
import { type AuctionEvent, decodeEvent } from "../domain/events.ts";
import type { ArchivedOutbox } from "../domain/outbox.ts";
import type { ArchiverMetrics } from "./metrics.ts";

export interface ArchiveParts {
  readonly store: ArchiveStore;
  readonly outbox: ArchivedOutbox;
  readonly logger: Logger;
  readonly metrics: ArchiverMetrics;
  /** How long Redis keeps an auction after its end has been archived. */
  readonly retentionSeconds: number;
  /** Between two attempts at what is out; 0.1 to 5 s by default. */
  readonly backoffMs?: { readonly first: number; readonly most: number };
}

interface Received {
  readonly delivery: Delivery;
  readonly event: AuctionEvent;
}

/**
 * Settles every delivery of it, unless it is aborted: then what has begun is still finished, and the rest is left unsettled.
 * @throws the signal's reason
 */
export async function archiveBatch(
  deliveries: readonly Delivery[],
  parts: ArchiveParts,
  signal: AbortSignal,
): Promise<void> {
  await writeInHalves(
    deliveries.flatMap((delivery) => receive(delivery, parts) ?? []),
    parts,
    signal,
  );
}

/** Undefined for what is no event, which is refused. */
function receive(delivery: Delivery, parts: ArchiveParts): Received | undefined {
  try {
    return { delivery, event: decodeEvent(delivery.text) };
  } catch (error) {
    refuse(delivery, error, parts, { message: delivery.text.slice(0, 500) });
    return undefined;
  }
}

/** Where the store refuses a batch for what is in it, halves of it find the culprit, and all others are written. */
async function writeInHalves(
  batch: readonly Received[],
  parts: ArchiveParts,
  signal: AbortSignal,
): Promise<void> {
  if (batch.length === 0) return;
  try {
    await write(batch, parts, signal);
  } catch (error) {
    if (!(error instanceof DataRefused)) throw error;
    const [only] = batch;
    if (only && batch.length === 1) {
      const { auction_id, outbox_id } = only.event;
      refuse(only.delivery, error, parts, { auction_id, outbox_id });
      return;
    }
    const half = Math.ceil(batch.length / 2);
    await writeInHalves(batch.slice(0, half), parts, signal);
    await writeInHalves(batch.slice(half), parts, signal);
  }
}

async function write(batch: readonly Received[], parts: ArchiveParts, signal: AbortSignal): Promise<void> {
  const { store, outbox, logger, metrics, retentionSeconds } = parts;
  const events = batch.map(({ event }) => event);
  const archived = await persist("database", parts, signal, async () => {
    const began = performance.now();
    const result = await store.write(events);
    metrics.seconds.observe((performance.now() - began) / 1000);
    return result;
  });
  metrics.batch.observe(batch.length);
  metrics.archived.inc({ result: "inserted" }, archived.inserted);
  metrics.archived.inc({ result: "duplicate" }, archived.duplicates);
  metrics.archived.inc({ result: "conflict" }, archived.conflicts.length);
  for (const event of archived.conflicts) {
    logger.error({ event }, "this contradicts the archive: Redis had lost what it had acknowledged");
  }
  await persist("redis", parts, signal, async () => {
    await outbox.remove(events.map(({ outbox_id }) => outbox_id));
    const ended = events.filter(({ type }) => type === "ended");
    await outbox.retire([...new Set(ended.map(({ auction_id }) => auction_id))], retentionSeconds);
  });
  for (const { delivery } of batch) delivery.ack();
}

/**
 * Tries until it succeeds, waiting longer and longer in between; once it is aborted, not again.
 * @throws DataRefused, or the signal's reason
 */
async function persist<T>(
  what: string,
  { logger, metrics, backoffMs = { first: 100, most: 5000 } }: ArchiveParts,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      const result = await attempt();
      if (failures > 0) logger.info({ what, failures }, "archiving goes on");
      return result;
    } catch (error) {
      if (error instanceof DataRefused) throw error;
      metrics.failures.inc({ what });
      const expected = error instanceof DependencyUnavailable;
      if (!expected) logger.error({ err: error, what }, "archiving failed unexpectedly; trying on");
      else if (failures === 0) logger.warn({ err: error, what }, "archiving waits for what is out");
    }
    signal.throwIfAborted();
    const pause = Math.min(backoffMs.most, backoffMs.first * 2 ** Math.min(failures, 20));
    await sleep(pause, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

/** It is not delivered again. Its entry stays in the outbox, from which it is published again with the next relay. */
function refuse(
  delivery: Delivery,
  error: unknown,
  { logger, metrics }: ArchiveParts,
  about: Record<string, unknown>,
): void {
  metrics.refused.inc();
  logger.error({ err: error, ...about }, "this event cannot be archived; its entry stays in the outbox");
  delivery.refuse();
}
