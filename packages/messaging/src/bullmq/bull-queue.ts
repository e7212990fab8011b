/** A BullMQ queue: what is put into it, how much there is, and its failed set, which is its dead-letter queue. */

import { randomUUID } from "node:crypto";
import { type Job, type JobsOptions, Queue } from "bullmq";
import type { OutgoingMessage, QueueDepth, RedriveOptions } from "../broker.ts";
import { BrokerUnavailable } from "../errors.ts";
import { type BrokerRedis, nameOf } from "./redis.ts";

const DAY_SECONDS = 24 * 60 * 60;
const BATCH = 100;
const MOST_BYTES = 256 * 1024;
/** Nobody reads BullMQ's stream of events here; its default would keep 10,000 of them. */
const EVENTS_KEPT = 100;

export const JOB_NAME = "message";

/**
 * Acknowledged is gone, as in SQS. Dead letters are kept as long as SQS keeps them at the most. There is one attempt as
 * BullMQ counts them: the consumer decides on retries, by receives.
 */
export const JOB_OPTIONS = {
  attempts: 1,
  removeOnComplete: true,
  removeOnFail: { age: 14 * DAY_SECONDS },
  sizeLimit: MOST_BYTES,
  stackTraceLimit: 1,
} satisfies JobsOptions;

/** A field of these that is missing or of another kind was not put in by this package. */
export function messageOf(job: Job): OutgoingMessage {
  const { body, attributes } = (job.data ?? {}) as Partial<OutgoingMessage>;
  return { body: typeof body === "string" ? body : JSON.stringify(job.data), attributes: attributes ?? {} };
}

export class BullQueue implements AsyncDisposable {
  readonly #redis: BrokerRedis;
  readonly #name: string;
  #queue: Queue | undefined;

  constructor(redis: BrokerRedis, name: string) {
    this.#redis = redis;
    this.#name = name;
  }

  /** The id is new each time: BullMQ drops, without a word, what it is given under an id that it has. */
  async add({ body, attributes }: OutgoingMessage): Promise<void> {
    const queue = await this.#opened();
    try {
      await queue.add(JOB_NAME, { body, attributes }, { ...JOB_OPTIONS, jobId: randomUUID() });
    } catch (error) {
      throw unavailable("The message was not acknowledged", error);
    }
  }

  async depth(): Promise<QueueDepth> {
    const queue = await this.#opened();
    const counts = await queue
      .getJobCounts("wait", "prioritized", "active", "delayed", "failed")
      .catch((error: unknown) => {
        throw unavailable("The queue could not be counted", error);
      });
    // A paused queue of this version of BullMQ keeps its jobs where they wait.
    const { wait = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts;
    return { visible: wait + prioritized, inFlight: active, delayed, deadLettered: failed };
  }

  async deadLetters(limit: number): Promise<readonly OutgoingMessage[]> {
    const letters: OutgoingMessage[] = [];
    const { deadLettered } = await this.depth();
    // By places in the set, of which some may bring no job: it has been removed meanwhile, or lost its contents.
    for (let from = 0; from < deadLettered && letters.length < limit; ) {
      const places = Math.min(BATCH, limit - letters.length);
      const jobs = await this.#failed(from, places);
      letters.push(...jobs.map(messageOf));
      from += places;
    }
    return letters;
  }

  /** Each message moves in one step: a crash in between leaves it in one of the two places. */
  async redrive({ limit = Number.POSITIVE_INFINITY, signal, onMoved }: RedriveOptions = {}) {
    signal?.throwIfAborted();
    // The oldest come first; what fails again meanwhile is added behind them.
    let left = Math.min(limit, (await this.depth()).deadLettered);
    let moved = 0;
    while (left > 0) {
      signal?.throwIfAborted();
      const jobs = await this.#failed(0, Math.min(BATCH, left));
      if (jobs.length === 0) break;
      left -= jobs.length;
      const ends = await Promise.allSettled(
        jobs.map((job) => job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true })),
      );
      for (const end of ends) {
        if (end.status === "fulfilled") moved += 1;
        // Somebody else has redriven or removed it in the meantime, which is no failure.
        else if (typeof end.reason?.code !== "number")
          throw unavailable(`${moved} dead letters were moved, then one was not`, end.reason);
      }
      onMoved?.(moved);
    }
    return { moved };
  }

  async check(): Promise<void> {
    const queue = await this.#opened();
    await queue.getJobCounts("wait").catch((error: unknown) => {
      throw unavailable("The queue does not answer", error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue?.close();
  }

  async #failed(from: number, count: number): Promise<readonly Job[]> {
    const queue = await this.#opened();
    const jobs = await queue.getJobs("failed", from, from + count - 1, true).catch((error: unknown) => {
      throw unavailable("The dead letters could not be read", error);
    });
    return jobs.filter((job) => job !== undefined);
  }

  /** Made when Redis answers: a queue that cannot connect at first stays unusable. */
  async #opened(): Promise<Queue> {
    await this.#redis.usable();
    this.#queue ??= new Queue(this.#name, {
      connection: this.#redis.client,
      skipVersionCheck: true,
      streams: { events: { maxLen: EVENTS_KEPT } },
    }).on("error", () => {
      // Whoever calls is told by the failing call.
    });
    return this.#queue;
  }
}

function unavailable(what: string, cause: unknown): BrokerUnavailable {
  return new BrokerUnavailable(`${what}: ${nameOf(cause)}`, { cause });
}
