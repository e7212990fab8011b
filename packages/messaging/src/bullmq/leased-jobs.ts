/**
 * BullMQ's jobs as leased messages: a job's lock is the lease, its starts are its receives. A worker of BullMQ fetches the
 * jobs and finds stalled ones; the loop, the heartbeat and the hand-back are the consumer's, the same as on SQS.
 */

import { randomUUID } from "node:crypto";
import { Job, Worker } from "bullmq";
import { BrokerUnavailable, PermanentFailure, RetryLater } from "../errors.ts";
import type { LeasedQueue, ReceivedMessage } from "../queue.ts";
import { JOB_NAME, JOB_OPTIONS, messageOf } from "./bull-queue.ts";
import { changeEach, refusedOnly } from "./each-lock.ts";
import type { BrokerRedis } from "./redis.ts";

export interface LeasedJobsOptions {
  readonly redis: BrokerRedis;
  readonly queue: string;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
  /** Told of what goes wrong beside any call. */
  onError(error: unknown): void;
}

/** Length of a long poll. A worker that stops waits for the end of one at the most. */
const WAIT_SECONDS = 1;
/** Stalled jobs are looked for this often within a lock's length; it takes two looks to be sure of one. */
const LOOKS_PER_LOCK = 4;
const LOOK_MS = { least: 200, most: 5000 };
const CLOSE_MS = 2000;
const FIRST_RETRY_SECONDS = 1;

export function leasedJobs(options: LeasedJobsOptions): LeasedQueue {
  const { redis, queue, visibilitySeconds, maxReceiveCount } = options;
  const lockMs = visibilitySeconds * 1000;
  /** The newest one, which may not be ready yet. */
  let newest: Worker | undefined;
  let opening: Promise<Worker> | undefined;
  let closed = false;
  /** Whether the last poll brought in as much as it asked for. */
  let plenty = false;
  /** What polls bring in that nobody waits for any more. */
  const late = new Set<Promise<unknown>>();

  async function open(): Promise<Worker> {
    await redis.usable();
    if (closed) throw new BrokerUnavailable("The consumer has been closed");
    const lookMs = Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, lockMs / LOOKS_PER_LOCK));
    const worker = new Worker(queue, null, {
      connection: redis.client,
      lockDuration: lockMs,
      skipLockRenewal: true,
      stalledInterval: lookMs,
      // Receives are what is counted, and a stall is followed by one: two limits would contradict each other, and this one
      // is not reset when a dead letter is sent back.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      drainDelay: WAIT_SECONDS,
    });
    newest = worker;
    worker.on("error", (error) => {
      if (!closed) options.onError(error);
    });
    try {
      await worker.waitUntilReady();
      await worker.startStalledCheckTimer();
      return worker;
    } catch (error) {
      await worker.close(true);
      throw error;
    }
  }

  /** A worker that could not be opened is not kept. */
  function opened(): Promise<Worker> {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }

  async function fetch(max: number): Promise<ReceivedMessage[]> {
    const worker = await opened();
    // Where the last poll found enough, the next one need not wait for a first job before it asks for more.
    const first = plenty ? undefined : await worker.getNextJob(randomUUID(), { block: true });
    if (!first && !plenty) return [];
    const more = await Promise.allSettled(
      Array.from({ length: first ? max - 1 : max }, () => worker.getNextJob(randomUUID(), { block: false })),
    );
    // One that failed may have moved a job all the same, which comes back when its lock ends.
    const jobs = [first, ...more.map((end) => (end.status === "fulfilled" ? end.value : undefined))];
    const received = jobs.filter((job): job is Job => job !== undefined);
    plenty = received.length === max;
    const spent = received.filter((job) => job.attemptsStarted > maxReceiveCount);
    await Promise.all(spent.map((job) => giveUp(job).catch(options.onError)));
    return received.filter((job) => !spent.includes(job)).map(asReceived);
  }

  async function giveUp(job: Job): Promise<unknown> {
    const reason = new Error(`It was received ${maxReceiveCount} times in vain`);
    return await job.moveToFailed(reason, job.token ?? "", false);
  }

  async function handBack(receipts: readonly string[]): Promise<string[]> {
    if (receipts.length === 0) return [];
    const worker = await opened();
    const moved = await changeEach(receipts, (receipt) => {
      const { id, token } = parse(receipt);
      return lockedJob(worker, id).moveToWait(token);
    });
    return refusedOnly(moved, "handed back");
  }

  async function fail(message: ReceivedMessage, error: unknown): Promise<void> {
    const { id, token } = parse(message.receipt);
    const job = lockedJob(await opened(), id);
    if (message.receiveCount >= maxReceiveCount) {
      await job.moveToFailed(error instanceof Error ? error : new Error(String(error)), token, false);
      return;
    }
    const seconds = secondsUntilRetry(error, message.receiveCount, visibilitySeconds);
    if (seconds > 0) await job.moveToDelayed(Date.now() + seconds * 1000, token);
    else await job.moveToWait(token);
  }

  return {
    visibilitySeconds,
    // One blocking connection, and batches: one poll keeps any number of workers busy.
    mostPollers: 1,

    async receive(max, signal) {
      await redis.usable();
      const fetching = fetch(max);
      const cut = Promise.withResolvers<undefined>();
      const onAbort = () => cut.resolve(undefined);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      try {
        const received = await Promise.race([fetching, cut.promise]);
        if (received) return received;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
      // Whether the poll itself fails matters to nobody any more.
      const settled: Promise<void> = fetching
        .catch(() => [])
        .then((messages) => handBack(messages.map(({ receipt }) => receipt)))
        .then(() => {}, options.onError)
        .finally(() => late.delete(settled));
      late.add(settled);
      return [];
    },

    async remove(receipts) {
      const worker = await opened();
      const { refused, failed } = await changeEach(receipts, (receipt) => {
        const { id, token } = parse(receipt);
        return lockedJob(worker, id).moveToCompleted(undefined, token, false);
      });
      return new Map([...refused.map((receipt) => [receipt, undefined] as const), ...failed]);
    },

    async hide(receipts, seconds) {
      if (seconds === 0) return await handBack(receipts);
      const worker = await opened();
      const locks = receipts.map(parse);
      const refused = new Set(
        await worker.extendJobLocks(
          locks.map(({ id }) => id),
          locks.map(({ token }) => token),
          seconds * 1000,
        ),
      );
      return receipts.filter((receipt) => refused.has(parse(receipt).id));
    },

    fail,

    async close() {
      closed = true;
      // Ends a poll under way, by its connection; what it has brought in is handed back over the other one.
      await newest?.close(true);
      await within(CLOSE_MS, Promise.all(late));
    },
  };
}

/** PermanentFailure at once, RetryLater when it says so, anything else after a pause that doubles up to the lock's length. */
function secondsUntilRetry(error: unknown, receiveCount: number, mostSeconds: number): number {
  if (error instanceof PermanentFailure) return 0;
  if (error instanceof RetryLater) return error.seconds;
  const most = Math.min(mostSeconds, FIRST_RETRY_SECONDS * 2 ** (receiveCount - 1));
  // Half of it by chance: what failed together does not come back together.
  return (most * (1 + Math.random())) / 2;
}

interface Lock {
  readonly id: string;
  readonly token: string;
}

function asReceived(job: Job): ReceivedMessage {
  const id = job.id ?? "";
  return { id, ...messageOf(job), receiveCount: job.attemptsStarted, receipt: `${job.token}/${id}` };
}

function parse(receipt: string): Lock {
  const at = receipt.indexOf("/");
  return { token: receipt.slice(0, at), id: receipt.slice(at + 1) };
}

/** As much of a job as moving it takes: which one, and what is kept of it. */
function lockedJob(worker: Worker, id: string): Job {
  return new Job(worker, JOB_NAME, undefined, JOB_OPTIONS, id);
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}
