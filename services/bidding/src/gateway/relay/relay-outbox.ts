/**
 * Relays the outbox, for as long as this gateway leads: reads on from its cursor and publishes, and never removes anything; that
 * is the archiver's to do. Which events have arrived is not kept anywhere, so that it begins at the oldest entry
 * when it begins to lead, when the stream has lost something, and where entries are left over that nobody works at; after a failure it goes
 * back to the oldest event that failed. Events that come twice do no harm.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable, type Logger } from "@parallax/service";
import {
  BEGINNING,
  compareIds,
  type EventPublisher,
  eventOf,
  type Outbox,
  type OutboxEntry,
} from "../../domain/outbox.ts";
import type { RelayMetrics } from "./metrics.ts";
import { StreamWatch } from "./stream-watch.ts";
import { PublishWindow } from "./window.ts";

export interface RelayOutboxParts {
  readonly outbox: Outbox;
  readonly publisher: EventPublisher;
  readonly logger: Logger;
  readonly metrics: RelayMetrics;
  readonly mostInFlight: number;
  /** After which an entry that all is done for is published again; more than the dedupe window, within which that has no effect. */
  readonly staleMs: number;
  /** Milliseconds between two looks at the stream; 2 s by default. */
  readonly lookMs?: number;
}

const READ_AT_ONCE = 500;
const WAIT_MS = 500;
const LOOK_MS = 2000;
const BACKOFF_MS = { first: 50, most: 2000 };

/** Until `signal` aborts; what is on its way then is waited for. */
export async function relayOutbox(parts: RelayOutboxParts, signal: AbortSignal): Promise<void> {
  const { outbox, publisher, logger, metrics, lookMs = LOOK_MS, staleMs } = parts;
  const stream = new StreamWatch();
  let cursor = BEGINNING;
  /** The newest entry that has been sent. */
  let newest = BEGINNING;
  let lost = false;
  let failures = 0;
  /** When the stream was looked at last, and when the outbox was last begun anew. */
  let looked = Number.NEGATIVE_INFINITY;
  let begun = performance.now();

  const window = new PublishWindow({
    publisher,
    mostInFlight: parts.mostInFlight,
    onKept(kept) {
      if (stream.kept(kept)) lost = true;
      metrics.published.inc({ result: kept.duplicate ? "duplicate" : "new" });
      failures = 0;
    },
  });

  function begin(why: "lost" | "stale"): void {
    logger.warn({ why }, "relaying the outbox from its beginning");
    metrics.begun.inc({ why });
    cursor = BEGINNING;
    begun = performance.now();
    lost = false;
  }

  async function send(entries: readonly OutboxEntry[]): Promise<void> {
    let again = compareIds(cursor, newest) < 0;
    for (const entry of entries) {
      if (!window.open && !(await window.room())) return;
      const event = readable(entry, parts);
      if (event) window.send(event, cursor);
      cursor = entry.id;
      again &&= compareIds(cursor, newest) <= 0;
      if (again) metrics.republished.inc();
      else newest = cursor;
    }
    metrics.inFlight.set(window.inFlight);
  }

  /** @returns whether the stream waits for more to be archived */
  async function look(): Promise<boolean> {
    looked = performance.now();
    const { mark } = stream;
    const state = await publisher.inspect();
    if (stream.saw(state, mark)) lost = true;
    return state.waiting > 0;
  }

  async function round(): Promise<void> {
    await publisher.ready(signal);
    if (performance.now() - looked >= lookMs) {
      const idle = window.inFlight === 0 && compareIds(cursor, newest) >= 0;
      const waiting = await look();
      // All is published and all that is there is archived: what is left over nobody works at.
      if (idle && !waiting && !lost && performance.now() - begun > staleMs) {
        const { length, oldestAgeMs } = await outbox.state();
        if (length > 0 && oldestAgeMs > staleMs) begin("stale");
      }
    }
    if (lost) begin("lost");
    await send(await outbox.read(cursor, READ_AT_ONCE, WAIT_MS));
    if (window.failed) await goBack();
  }

  async function goBack(): Promise<void> {
    const failed = await window.settle();
    if (!failed) return;
    if (compareIds(failed.after, cursor) < 0) cursor = failed.after;
    // It may have been away and come back as another one.
    looked = Number.NEGATIVE_INFINITY;
    throw failed.error;
  }

  metrics.begun.inc({ why: "leader" });
  while (!signal.aborted) {
    try {
      await round();
    } catch (error) {
      if (signal.aborted) break;
      metrics.failures.inc({ what: error instanceof DependencyUnavailable ? "outage" : "unexpected" });
      if (!(error instanceof DependencyUnavailable))
        logger.error({ err: error }, "the relay failed; trying on");
      else if (failures === 0) logger.warn({ err: error }, "events cannot be relayed now; trying on");
      const pause = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(failures, 20));
      failures += 1;
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
  }
  await window.settle();
  metrics.inFlight.set(0);
}

function readable(entry: OutboxEntry, { logger, metrics }: RelayOutboxParts) {
  try {
    return eventOf(entry);
  } catch (error) {
    metrics.unreadable.inc();
    logger.error({ err: error, id: entry.id }, "this entry of the outbox holds no event; it stays there");
    return undefined;
  }
}
