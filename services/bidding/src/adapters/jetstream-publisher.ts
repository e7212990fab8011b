/** Publishes events to JetStream, each under its id, so that one that is published again within the dedupe window is kept once. */

import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { DependencyUnavailable } from "@parallax/service";
import { encodeEvent, messageId } from "../domain/events.ts";
import type { EventPublisher } from "../domain/outbox.ts";
import {
  ARCHIVER,
  type EventStreamOptions,
  ensureStream,
  isMissing,
  STREAM,
  subjectOf,
} from "./event-stream.ts";
import { PublishAcks } from "./jetstream-acks.ts";
import type { NatsLink } from "./nats.ts";

/** For JetStream's answer to a publish or a question. */
const ANSWER_MS = 5000;

export function jetStreamPublisher(link: NatsLink, options: EventStreamOptions): EventPublisher {
  let current: { readonly of: NatsConnection; readonly acks: PublishAcks } | undefined;
  const acks = () => {
    const connection = link.connection;
    if (current?.of === connection) return current.acks;
    current?.acks.close();
    current = { of: connection, acks: new PublishAcks(connection, () => link.epoch, ANSWER_MS) };
    return current.acks;
  };

  return {
    async publish(event) {
      try {
        return await acks().publish(subjectOf(event.auction_id), encodeEvent(event), messageId(event));
      } catch (cause) {
        throw new DependencyUnavailable("JetStream did not take the event.", { cause });
      }
    },

    async inspect() {
      try {
        const manager = await jetstreamManager(link.connection, { timeout: ANSWER_MS, checkAPI: false });
        const { created, state } = await manager.streams.info(STREAM).catch(async (error: unknown) => {
          if (!isMissing(error)) throw error;
          return await ensureStream(manager, options);
        });
        // A NATS that was killed may have kept messages that were settled: they are in the stream, and nobody is given them.
        const archiver = await manager.consumers.info(STREAM, ARCHIVER).catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        });
        const waiting = archiver ? archiver.num_pending + archiver.num_ack_pending : state.messages;
        return { identity: String(created), lastSeq: state.last_seq, waiting };
      } catch (cause) {
        throw new DependencyUnavailable("JetStream does not tell about its stream.", { cause });
      }
    },

    ready: (signal) => link.ready(signal),
  };
}
