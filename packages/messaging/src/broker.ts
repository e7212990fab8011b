/**
 * The Broker port: one topic, one queue behind it, one dead-letter queue behind that.
 *
 * Terms
 * - producer: who publishes; consumer: who receives, handles and acknowledges.
 * - delivery: one receive of a message. A message may be delivered more than once and out of order.
 * - visibility timeout: how long a received message is hidden from other consumers unless it is extended.
 * - lease: a delivery's right to its message, kept alive by extending the visibility timeout (heartbeat).
 * - receive count: how often a message has been received, this delivery included.
 * - dead-letter queue: where a message goes once it has been received `maxReceiveCount` times in vain.
 */

export interface OutgoingMessage {
  /** Text, at most 256 KiB with its attributes (the limit of SNS). */
  readonly body: string;
  /** Carried beside the body, such as `traceparent`; ten at the most (the limit of raw SQS delivery). */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Delivery {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** 1 on the first delivery. */
  readonly receiveCount: number;
  /** Aborted when the lease is lost or the consumer's grace has ended: stop, somebody else will do it. */
  readonly signal: AbortSignal;
}

/**
 * What is done with a delivery. Resolving acknowledges it: the effect must be committed by then. Throwing
 * leaves it: RetryLater after the time it says, PermanentFailure at once (so that it reaches the dead-letter
 * queue without waiting), anything else when the visibility timeout ends, or sooner where the broker backs off by itself.
 */
export type Handler = (delivery: Delivery) => Promise<void>;

export interface ConsumeOptions {
  /** Deliveries handled at once: the number of workers. */
  readonly concurrency: number;
  /** Told of every failure that the consumer survives; for logs and metrics. */
  onError?(error: unknown, what: "receive" | "handle" | "acknowledge" | "extend"): void;
}

export interface Consumer {
  /** Deliveries in hand. */
  readonly inFlight: number;
  /**
   * Begins no further receive until `resume`; a poll under way may still bring messages in. What is in hand
   * goes on, its leases kept alive.
   */
  pause(): void;
  resume(): void;
  /**
   * From now on that many workers, 1 or more. Shrinking interrupts nothing: what is in hand is finished, and nothing more
   * is begun until fewer than that many are. What a poll under way brings in beyond them is handed back.
   */
  resize(concurrency: number): void;
  /** Stops receiving, waits up to `graceMs` for what is in hand, hands the rest back to the queue. */
  stop(graceMs: number): Promise<StopReport>;
}

export interface StopReport {
  readonly finished: number;
  readonly handedBack: number;
}

/** Approximate, as SQS says of its own counts: good for a chart, not for a verdict. */
export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  readonly deadLettered: number;
}

export interface RedriveOptions {
  /** Moves this many at the most; all by default. */
  readonly limit?: number;
  /** Ends the redrive between two batches; what has been moved stays moved. */
  readonly signal?: AbortSignal;
  /** Told of progress: how many have been moved so far. */
  onMoved?(count: number): void;
}

/** Looking after a queue and its dead-letter queue without being their producer or consumer. */
export interface QueueOperator extends AsyncDisposable {
  depth(): Promise<QueueDepth>;
  /** Up to `limit` messages of the dead-letter queue, which keeps them. For a verdict, while nobody redrives. */
  deadLetters(limit: number): Promise<readonly OutgoingMessage[]>;
  /**
   * Sends dead letters back to the queue, bodies and attributes kept, their receive count beginning anew. A crash in
   * between may leave a message in both; it never loses one. Poison that comes back meanwhile is left for the next
   * redrive, except by AWS's own task, which goes on until the dead-letter queue is empty.
   */
  redrive(options?: RedriveOptions): Promise<{ readonly moved: number }>;
}

export interface Broker extends QueueOperator {
  readonly kind: string;
  /** Makes topic, queues and subscription where they are missing. Safe to repeat and to run twice at once. */
  prepare(): Promise<void>;
  /**
   * Resolves once the broker has acknowledged the message.
   * @throws BrokerUnavailable; the message may have been published all the same
   */
  publish(message: OutgoingMessage): Promise<void>;
  consume(handler: Handler, options: ConsumeOptions): Consumer;
  /** Rejects while the broker cannot be used. */
  check(): Promise<void>;
}
