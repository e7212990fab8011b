/**
 * The JetStream stream of events: a work queue, from which the archiver's acknowledgement removes a message. It is bounded by the outbox,
 * which takes no more bids while too many are not archived. Live prices are plain subscriptions to the same subjects.
 */

import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";

export const STREAM = "BIDDING";
/** The archiver's durable consumer. */
export const ARCHIVER = "archiver";

const PREFIX = "bidding.events";
const ALL_EVENTS = `${PREFIX}.>`;
export const subjectOf = (auctionId: string) => `${PREFIX}.${auctionId}`;

export interface EventStreamOptions {
  /** Within which JetStream takes a message with the same id for the same one. */
  readonly dedupeSeconds: number;
}

/** Bytes; some five times the outbox's bound at 400 bytes a message. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Makes the stream, or brings its settings up to date. Whoever comes first does; all who may must be given the same settings.
 * @throws what the client does
 */
export async function ensureStream(
  manager: JetStreamManager,
  { dedupeSeconds }: EventStreamOptions,
): Promise<StreamInfo> {
  const settings = {
    subjects: [ALL_EVENTS],
    max_bytes: MOST_BYTES,
    discard: DiscardPolicy.New,
    duplicate_window: nanos(dedupeSeconds * 1000),
  };
  const fixed = { name: STREAM, retention: RetentionPolicy.Workqueue, storage: StorageType.File };
  try {
    return await manager.streams.update(STREAM, settings);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return await manager.streams.add({ ...fixed, ...settings });
  }
}

export interface ArchiverConsumerOptions {
  /** Messages that may be delivered and not yet acknowledged. */
  readonly mostUnsettled: number;
  /** After which a message that is not acknowledged is delivered again. */
  readonly patienceMs: number;
}

/** Makes the archiver's durable consumer, or brings its settings up to date. @throws what the client does */
export async function ensureArchiver(
  manager: JetStreamManager,
  { mostUnsettled, patienceMs }: ArchiverConsumerOptions,
): Promise<void> {
  const settings = { max_ack_pending: mostUnsettled, ack_wait: nanos(patienceMs), max_deliver: -1 };
  try {
    await manager.consumers.update(STREAM, ARCHIVER, settings);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const fixed = { durable_name: ARCHIVER, ack_policy: AckPolicy.Explicit, max_waiting: 16 };
    await manager.consumers.add(STREAM, { ...fixed, ...settings });
  }
}

const MISSING: ReadonlySet<number> = new Set([
  JetStreamApiCodes.StreamNotFound,
  JetStreamApiCodes.ConsumerNotFound,
]);

/** Whether the server says that there is no such stream or consumer. */
export function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && MISSING.has(error.code);
}
