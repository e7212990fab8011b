/** The worker pool: takes orders from the broker and processes them, waiting out what is down. */

import { type Broker, type Consumer, type Delivery, RetryLater, type StopReport } from "@parallax/messaging";
import {
  childSpan,
  type Logger,
  type Metrics,
  newTrace,
  parseTraceparent,
  type Tracing,
  traceparent,
} from "@parallax/service";
import { type BreakerOptions, CircuitBreaker } from "../domain/circuit-breaker.ts";
import { decodeOrder } from "../domain/order-message.ts";
import type { OrderStore, PaymentProvider } from "../domain/ports.ts";
import { processOrder } from "../domain/process-order.ts";
import { type ScalingRule, scaleByBacklog } from "./scale-by-backlog.ts";

export interface WorkerPoolParts {
  readonly broker: Broker;
  readonly store: OrderStore;
  readonly payments: PaymentProvider;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly workers: number;
  /** How the number of workers follows the backlog; `workers` for ever without it. */
  readonly scaling?: (ScalingRule & { readonly intervalSeconds: number }) | undefined;
  /** Between two probes of what is out; 0.2 to 5 s by default. */
  readonly probeBackoffMs?: BreakerOptions["backoffMs"];
  /** Of a broker whose deliveries are traced. */
  readonly tracing?: Tracing | undefined;
}

export interface WorkerPool {
  readonly inFlight: number;
  readonly breaker: "open" | "closed";
  /** How many there are now. */
  readonly workers: number;
  stop(graceMs: number): Promise<StopReport>;
}

export function startWorkerPool(parts: WorkerPoolParts): WorkerPool {
  const { broker, store, payments, logger, metrics, workers } = parts;
  const processed = metrics.counter("orders_processed_total", "Orders processed, by outcome.", ["outcome"]);
  const failures = metrics.counter("orders_consumer_errors_total", "Failures survived, by what failed.", [
    "what",
  ]);
  const duration = metrics.histogram("order_processing_seconds", "From delivery to commit.", {
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 3, 3.5, 5, 10, 30, 60, 300],
  });
  /** Ends the waiting for what is out; what is being paid goes on. */
  const stopping = new AbortController();
  const breaker = new CircuitBreaker({
    backoffMs: parts.probeBackoffMs ?? { first: 200, most: 5000 },
    onChange(state, cause) {
      if (state === "open") {
        logger.warn({ err: cause }, "payments or the database are out: receiving no more until they answer");
        consumer.pause();
      } else {
        logger.info("payments and the database answer again");
        consumer.resume();
      }
    },
    // The one order in hand may itself be what fails, and orders whose leases have ended are in hand no more: take in a few
    // others that can tell.
    onProbesWanted: () => consumer.resume(),
  });

  async function handle(delivery: Delivery): Promise<void> {
    const began = performance.now();
    const parent = parseTraceparent(delivery.attributes.traceparent);
    const trace = parts.tracing?.active?.context ?? (parent ? childSpan(parent) : newTrace());
    const order = decodeOrder(delivery.body);
    const context = { signal: delivery.signal, traceparent: traceparent(trace) };
    if (breaker.state === "open") consumer.pause();
    const outcome = await breaker
      .run(
        () => processOrder(order, { store, payments }, context),
        AbortSignal.any([delivery.signal, stopping.signal]),
      )
      .catch((error: unknown) => {
        // It was waiting for an outage to end, which is no work that the grace period is for.
        if (error === stopping.signal.reason)
          throw new RetryLater("The processor is stopping", 0, { cause: error });
        throw error;
      });
    const seconds = (performance.now() - began) / 1000;
    processed.inc({ outcome });
    duration.observe(seconds);
    logger.info(
      {
        order_id: order.order_id,
        trace_id: trace.traceId,
        span_id: trace.spanId,
        receive_count: delivery.receiveCount,
        outcome,
        ms: Math.round(seconds * 1000),
      },
      "order processed",
    );
  }

  const consumer: Consumer = broker.consume(handle, {
    concurrency: workers,
    onError(error, what) {
      failures.inc({ what });
      logger.warn({ err: error, what }, "the consumer survived a failure");
    },
  });
  const scaled =
    parts.scaling &&
    scaleByBacklog({
      ...parts.scaling,
      waiting: async () => (await broker.depth()).visible,
      resize: (count) => consumer.resize(count),
      onChange: (count, waiting) =>
        logger.info({ workers: count, waiting }, "as many workers as the backlog asks for"),
      onError(error) {
        failures.inc({ what: "scale" });
        logger.warn({ err: error }, "the queue did not tell its depth: as many workers as before");
      },
    });
  const count = () => scaled?.workers ?? workers;
  metrics.gauge("orders_workers", "Workers that there are.", count);
  metrics.gauge("orders_in_hand", "Deliveries being processed.", () => consumer.inFlight);
  metrics.gauge("orders_breaker_open", "1 while payments or the database are out.", () =>
    breaker.state === "open" ? 1 : 0,
  );

  return {
    get inFlight() {
      return consumer.inFlight;
    },
    get breaker() {
      return breaker.state;
    },
    get workers() {
      return count();
    },
    async stop(graceMs) {
      stopping.abort(new Error("The processor is stopping"));
      // The broker may be asked for its depth meanwhile; that takes none of the grace.
      const stopped = consumer.stop(graceMs);
      await scaled?.stop();
      return await stopped;
    },
  };
}
