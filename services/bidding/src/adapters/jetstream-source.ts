/**
 * The archiver's deliveries: a durable pull consumer of the stream of events, which is made, like the stream, where it is missing.
 *
 * What was delivered on one connection is acknowledged on no other. In between the server may have lost its disk, and an
 * acknowledgement, which names a message by its number in the stream, would then remove another one.
 */

import { type JsMsg, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { DependencyUnavailable } from "@parallax/service";
import type { Delivery, EventSource } from "../domain/archiving.ts";
import { ARCHIVER, type EventStreamOptions, ensureArchiver, ensureStream, STREAM } from "./event-stream.ts";
import type { NatsLink } from "./nats.ts";

export interface JetStreamSourceOptions extends EventStreamOptions {
  /** Milliseconds after which what is neither settled nor kept is delivered again; 10 s by default. */
  readonly patienceMs?: number;
}

const ANSWER_MS = 3000;
const PATIENCE_MS = 10_000;
/** A request for messages stands so long. Without a sign of life for that time the server is asked whether it still knows us. */
const REQUEST_MS = 5000;

export function jetStreamSource(link: NatsLink, options: JetStreamSourceOptions): EventSource {
  const { patienceMs = PATIENCE_MS } = options;
  return {
    async open(most, take) {
      const { epoch } = link;
      const gone = new AbortController();
      const ended = AbortSignal.any([link.lost(epoch), gone.signal]);
      try {
        const { connection } = link;
        const manager = await jetstreamManager(connection, { timeout: ANSWER_MS, checkAPI: false });
        await ensureStream(manager, options);
        await ensureArchiver(manager, { mostUnsettled: most, patienceMs });
        const consumer = await jetstream(connection, { timeout: ANSWER_MS }).consumers.get(STREAM, ARCHIVER);
        ended.throwIfAborted();
        const messages = await consumer.consume({
          max_messages: most,
          expires: REQUEST_MS,
          abort_on_missing_resource: true,
          callback: (message) => take(asDelivery(message, ended)),
        });
        let stopped = false;
        const end = (error: unknown) => {
          if (!stopped)
            gone.abort(new DependencyUnavailable("The stream of events is gone.", { cause: error }));
        };
        void messages.closed().then(end, end);
        return {
          ended,
          patienceMs,
          async stop() {
            // What was delivered is still to be settled.
            stopped = true;
            await messages.close();
          },
        };
      } catch (cause) {
        gone.abort();
        throw new DependencyUnavailable("JetStream does not deliver.", { cause, retryAfterSeconds: 5 });
      }
    },
    check: () => link.check(),
  };
}

function asDelivery(message: JsMsg, ended: AbortSignal): Delivery {
  const settle = (how: () => void) => {
    if (ended.aborted) return;
    try {
      how();
    } catch {
      // The connection has just been closed; it is delivered again.
    }
  };
  return {
    text: message.string(),
    ack: () => settle(() => message.ack()),
    giveBack: () => settle(() => message.nak()),
    // Not by terminating it: NATS 2.9, which Debian 12 has, keeps a terminated message of a work queue for ever.
    refuse: () => settle(() => message.ack()),
    keep: () => settle(() => message.working()),
  };
}
