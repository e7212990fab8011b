/**
 * A broker whose messages are traced, by OpenTelemetry's conventions for messaging
 * (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/): one span for each publishing, one for each
 * delivery. Every delivery of a message is a child of its publishing, however often it is delivered.
 */

import type { Broker, Delivery, Handler, OutgoingMessage } from "@parallax/messaging";
import { inSpan, parseTraceparent, type SpanAttributes, type Tracing, traceparent } from "@parallax/service";

export interface TracedBrokerOptions {
  readonly tracing: Tracing;
  readonly publishes: Destination;
  readonly consumes: Destination;
}

export interface Destination {
  /** As `messaging.system` has it, such as `aws_sqs`. */
  readonly system: string;
  readonly name: string;
}

/** Traces what goes through `broker`; the same broker without `tracing`. */
export function tracedBroker(broker: Broker, options: TracedBrokerOptions): Broker {
  const { tracing, publishes, consumes } = options;

  async function publish(message: OutgoingMessage): Promise<void> {
    const start = {
      name: `send ${publishes.name}`,
      kind: "producer",
      parent: parseTraceparent(message.attributes.traceparent),
      attributes: { ...attributesOf(publishes, "send", message.body) },
    } as const;
    await inSpan(tracing, start, async ({ context }) => {
      const attributes = { ...message.attributes, traceparent: traceparent(context) };
      await broker.publish({ ...message, attributes });
    });
  }

  function traced(handler: Handler): Handler {
    return async (delivery: Delivery) => {
      const start = {
        name: `process ${consumes.name}`,
        kind: "consumer",
        parent: parseTraceparent(delivery.attributes.traceparent),
        attributes: {
          ...attributesOf(consumes, "process", delivery.body),
          "messaging.message.id": delivery.id,
          "parallax.delivery_count": delivery.receiveCount,
        },
      } as const;
      await inSpan(tracing, start, () => handler(delivery));
    };
  }

  return {
    kind: broker.kind,
    publish,
    consume: (handler, consumeOptions) => broker.consume(traced(handler), consumeOptions),
    prepare: () => broker.prepare(),
    check: () => broker.check(),
    depth: () => broker.depth(),
    deadLetters: (limit) => broker.deadLetters(limit),
    redrive: (redriveOptions) => broker.redrive(redriveOptions),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

function attributesOf({ system, name }: Destination, operation: string, body: string): SpanAttributes {
  const orderId = orderIdOf(body);
  return {
    "messaging.system": system,
    "messaging.destination.name": name,
    "messaging.operation.name": operation,
    "messaging.operation.type": operation,
    "messaging.message.body.size": Buffer.byteLength(body),
    ...(orderId !== undefined && { "parallax.order_id": orderId }),
  };
}

/** Of a message that may be anything. */
function orderIdOf(body: string): string | undefined {
  try {
    const id: unknown = JSON.parse(body)?.order?.order_id;
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}
