/**
 * The JetStream stream of events: a work queue, from which the archiver's acknowledgement removes a message. It is bounded by the outbox,
 * which takes no more bids while too many are not archived. Live prices are plain subscriptions to the same subjects.
 */

import {
  DiscardPolicy,
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
export const ALL_EVENTS = `${PREFIX}.>`;
export const subjectOf = (auctionId: string) => `${PREFIX}.${auctionId}`;

export interface EventStreamOptions {
  /** Within which JetStream takes a message with the same id for the same one. */
  readonly dedupeSeconds: number;
}

/** Bytes; some five times the outbox's bound at 400 bytes a message. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Makes the stream, or brings its settings up to date. Whoever comes first does. */
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
    await manager.streams.info(STREAM);
  } catch {
    return await manager.streams.add({ ...fixed, ...settings });
  }
  return await manager.streams.update(STREAM, settings);
}
