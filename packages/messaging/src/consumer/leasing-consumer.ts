/**
 * A consumer for queues that lease their messages. It asks for as many messages as workers are free, up to
 * ten, and asks again as soon as one worker is free: it never waits for the slowest of a batch.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { createBatcher } from "../batcher.ts";
import type { ConsumeOptions, Consumer, Handler, StopReport } from "../broker.ts";
import { PermanentFailure, RetryLater } from "../errors.ts";
import { BATCH, type LeasedQueue, type ReceivedMessage } from "../queue.ts";
import { Gate } from "./gate.ts";
import { type Lease, Leases } from "./leases.ts";
import { Slots } from "./slots.ts";

const ACK_LINGER_MS = 10;
const POLL_GRACE_MS = 1500;
const BACKOFF_MS = { first: 100, most: 5000 };
/** One poller keeps about this many workers busy; more poll side by side. */
const WORKERS_PER_POLLER = 50;
const MOST_POLLERS = 4;

export function leasingConsumer(queue: LeasedQueue, handler: Handler, options: ConsumeOptions): Consumer {
  const report = options.onError ?? (() => {});
  const slots = new Slots(0);
  const leases = new Leases(queue, (error) => report(error, "extend"));
  const acknowledgements = createBatcher<string>({
    max: BATCH,
    lingerMs: ACK_LINGER_MS,
    send: (receipts) => queue.remove(receipts),
  });
  const stopping = new AbortController();
  /** Cuts off the polls under way. */
  const cut = new AbortController();
  const gate = new Gate();
  const inHand = new Set<Promise<void>>();
  const acknowledging = new Set<Promise<void>>();
  /** By number, from 0 upwards. */
  const pollers = new Map<number, Promise<void>>();
  let concurrency = 0;
  let finished = 0;

  function wanted(workers: number): number {
    return Math.min(queue.mostPollers ?? MOST_POLLERS, Math.ceil(workers / WORKERS_PER_POLLER));
  }

  function resize(workers: number): void {
    if (!Number.isInteger(workers) || workers < 1)
      throw new RangeError(`There is no consumer with ${workers} workers: it has 1 or more, a whole number`);
    concurrency = workers;
    slots.resize(workers);
    for (let number = 0; number < wanted(workers); number += 1)
      if (!pollers.has(number) && !stopping.signal.aborted) pollers.set(number, poll(number));
  }

  async function poll(number: number): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted && number < wanted(concurrency)) {
      await gate.open(stopping.signal);
      const free = await slots.take(BATCH, stopping.signal);
      // Paused while it waited for a worker: give the workers back and wait at the gate.
      if (gate.closed || free === 0) {
        slots.give(free);
        continue;
      }
      let received: ReceivedMessage[] = [];
      try {
        received = await queue.receive(free, cut.signal);
        failures = 0;
      } catch (error) {
        if (!cut.signal.aborted) {
          report(error, "receive");
          failures += 1;
        }
      }
      slots.give(free - received.length);
      // There may be fewer workers than when it was asked for. Those that other polls have taken do not count: what is handed
      // back for them would be received in vain.
      const excess = received.splice(Math.max(0, concurrency - inHand.size));
      for (const message of received) start(message);
      await handBack(excess);
      if (failures > 0)
        await sleep(backoff(failures), undefined, { signal: stopping.signal }).catch(() => {});
    }
    pollers.delete(number);
  }

  async function handBack(excess: readonly ReceivedMessage[]): Promise<void> {
    if (excess.length === 0) return;
    slots.give(excess.length);
    const receipts = excess.map(({ receipt }) => receipt);
    await queue.hide(receipts, 0).catch((error) => report(error, "extend"));
  }

  function start(message: ReceivedMessage): void {
    const lease = leases.hold(message.receipt);
    const run: Promise<void> = handle(message, lease).finally(() => {
      inHand.delete(run);
      slots.give(1);
    });
    inHand.add(run);
  }

  async function handle(message: ReceivedMessage, lease: Lease): Promise<void> {
    const { id, body, attributes, receiveCount } = message;
    try {
      await handler({ id, body, attributes, receiveCount, signal: lease.signal });
    } catch (error) {
      leases.drop(lease.receipt);
      report(error, "handle");
      if (!lease.signal.aborted) await leave(message, error);
      return;
    }
    finished += 1;
    // The worker is free for the next message while the acknowledgement is on its way; the lease is kept
    // until it has arrived, else a slow one would let a twin begin.
    const acknowledged: Promise<void> = acknowledgements
      .add(lease.receipt)
      .catch((error) => report(error, "acknowledge"))
      .finally(() => {
        leases.drop(lease.receipt);
        acknowledging.delete(acknowledged);
      });
    acknowledging.add(acknowledged);
  }

  async function leave(message: ReceivedMessage, error: unknown): Promise<void> {
    if (queue.fail) return await queue.fail(message, error).catch((cause) => report(cause, "extend"));
    const seconds =
      error instanceof PermanentFailure ? 0 : error instanceof RetryLater ? error.seconds : undefined;
    if (seconds === undefined) return;
    await queue.hide([message.receipt], seconds).catch((cause) => report(cause, "extend"));
  }

  async function stop(graceMs: number): Promise<StopReport> {
    stopping.abort();
    // A poll that is cut off may take messages along, hidden until their visibility timeout ends; a short one
    // is allowed to end by itself.
    const polled = Promise.all(pollers.values());
    await Promise.race([polled, sleep(Math.min(graceMs, POLL_GRACE_MS), undefined, { ref: false })]);
    cut.abort();
    await polled;
    await Promise.race([Promise.all(inHand), sleep(graceMs, undefined, { ref: false })]);
    await acknowledgements.flush();
    await Promise.all(acknowledging);
    const handedBack = await leases.handBackAll(new Error("The consumer is stopping"));
    leases.stop();
    await queue.close?.();
    return { finished, handedBack };
  }

  resize(options.concurrency);

  return {
    get inFlight() {
      return inHand.size;
    },
    pause: () => gate.close(),
    resume: () => gate.reopen(),
    resize,
    stop,
  };
}

/** Full jitter: consumers that lost the same broker do not all come back at the same moment. */
function backoff(failures: number): number {
  return Math.random() * Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** failures);
}
