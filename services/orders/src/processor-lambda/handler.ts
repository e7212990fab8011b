/**
 * What is done with an event: SNS invokes the function with one or more orders, with no queue between. Resolving is all the
 * acknowledgement there is; throwing makes Lambda try the whole event again, twice by default, and send it to the dead-letter
 * destination then. Orders of the event that were processed are processed again to no effect.
 *
 * Terms
 * - execution environment: a process that Lambda starts for one event at a time and keeps for later ones.
 * - cold start: the first event of an environment, which waits for the environment to be made (init).
 */

import { setTimeout as sleep } from "node:timers/promises";
import { PermanentFailure } from "@parallax/messaging/errors";
import {
  childSpan,
  DependencyUnavailable,
  type Logger,
  newTrace,
  parseTraceparent,
  traceparent,
} from "@parallax/service";
import { z } from "zod";
import { decodeOrder } from "../domain/order-message.ts";
import type { OrderStore, PaymentProvider } from "../domain/ports.ts";
import { processOrder } from "../domain/process-order.ts";

export interface HandlerParts {
  readonly store: OrderStore;
  readonly payments: PaymentProvider;
  readonly logger: Logger;
  /** From the process's start until it was ready for its first event. */
  readonly initMs: number;
}

/** The part of Lambda's context that is used. */
export interface InvocationContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export type EventHandler = (event: unknown, context: InvocationContext) => Promise<void>;

/**
 * Between tries within one event. An environment that was frozen wakes with connections that have died meanwhile, and Lambda's own
 * next try comes a minute later.
 */
const PAUSES_MS = [200, 800];

/** What is left of the function's time for saying why it failed; Lambda kills it without a word. */
const LAST_WORDS_MS = 500;

/** What who deploys the function asks it: whether it reaches its database. */
const readinessSchema = z.strictObject({ check: z.literal("ready") });

const eventSchema = z.object({
  Records: z
    .array(
      z.object({
        Sns: z.object({
          MessageId: z.string(),
          Message: z.string(),
          MessageAttributes: z.record(z.string(), z.object({ Value: z.string() })).default({}),
        }),
      }),
    )
    .min(1),
});

type Notification = z.output<typeof eventSchema>["Records"][number]["Sns"];

/** Made once per execution environment. */
export function createHandler({ store, payments, logger, initMs }: HandlerParts): EventHandler {
  let cold = true;

  async function processNotification(notification: Notification, requestId: string, signal: AbortSignal) {
    const began = performance.now();
    const parent = parseTraceparent(notification.MessageAttributes.traceparent?.Value);
    const trace = parent ? childSpan(parent) : newTrace();
    const order = decodeOrder(notification.Message);
    const context = { signal, traceparent: traceparent(trace) };
    const outcome = await retried(() => processOrder(order, { store, payments }, context), signal);
    const ms = Math.round(performance.now() - began);
    const ids = { order_id: order.order_id, trace_id: trace.traceId, span_id: trace.spanId };
    logger.info({ request_id: requestId, ...ids, outcome, ms }, "order processed");
  }

  return async (event, { awsRequestId, getRemainingTimeInMillis }) => {
    const start = { request_id: awsRequestId, cold_start: cold, ...(cold && { init_ms: initMs }) };
    cold = false;
    logger.info(start, "invoked");
    if (readinessSchema.safeParse(event).success) return await store.check();
    const left = getRemainingTimeInMillis();
    const signal = AbortSignal.timeout(Math.max(0, left - LAST_WORDS_MS));
    const notifications = read(event);
    const done = await Promise.allSettled(
      notifications.map((notification) => processNotification(notification, awsRequestId, signal)),
    );
    const failures = done.flatMap((each, at) =>
      each.status === "rejected" ? [{ error: each.reason, message_id: notifications[at]?.MessageId }] : [],
    );
    for (const { error, message_id } of failures) {
      logger.error({ request_id: awsRequestId, message_id, err: error }, "an order was not processed");
    }
    if (failures.length === 1) throw failures[0]?.error;
    if (failures.length > 1) {
      throw new AggregateError(
        failures.map(({ error }) => error),
        `${failures.length} of ${notifications.length} orders were not processed`,
      );
    }
  };
}

/** Tries again what failed because something did not answer; the last failure is thrown. */
async function retried<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await unlessAborted(work(), signal);
    } catch (error) {
      if (!(error instanceof DependencyUnavailable) || signal.aborted) throw error;
      await sleep(pause, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
  return await unlessAborted(work(), signal);
}

/** The database takes no signal: what it has not answered by then is left behind. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** @throws PermanentFailure when the event is not one of SNS */
function read(event: unknown): Notification[] {
  const parsed = eventSchema.safeParse(event);
  if (parsed.success) return parsed.data.Records.map(({ Sns }) => Sns);
  throw new PermanentFailure("The event is not a notification of SNS", { cause: parsed.error });
}
