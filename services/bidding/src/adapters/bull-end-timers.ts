/**
 * The timers of auctions' ends as delayed jobs of BullMQ, whichever gateway is there when one is due. The job's id is the auction's, so
 * that there is one for each.
 */

import { DependencyUnavailable, type Logger } from "@parallax/service";
import { DelayedError, type Job, Queue, Worker } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import type { EndTimers } from "../domain/ends.ts";
import { reconnectOnError } from "./redis-connection.ts";

export interface BullEndTimersOptions {
  readonly url: string;
  readonly logger: Logger;
  /** Ends that are announced at once. */
  readonly concurrency?: number;
  /** Set by tests that share a Redis. */
  readonly queue?: string;
}

const QUEUE = "ends";
/** All keys in one slot, as a cluster wants it. */
const PREFIX = "{bidding}:bull";
const CONCURRENCY = 16;
const ANSWER_MS = 2000;
const CLOSE_MS = 3000;
/** After a failure of the worker itself; BullMQ waits 15 s by default. */
const RETRY_MS = 1000;
const RETRY = (times: number) => Math.min(1000, 50 * 2 ** Math.min(times, 10));
/** Beyond these it is left to those who look for ends that were forgotten. */
const JOB = {
  attempts: 5,
  backoff: { type: "exponential", delay: 500 },
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 1,
} as const;

export function bullEndTimers(options: BullEndTimersOptions): EndTimers {
  const { url, logger, concurrency = CONCURRENCY, queue: name = QUEUE } = options;
  const common = {
    maxRetriesPerRequest: null,
    connectTimeout: ANSWER_MS,
    retryStrategy: RETRY,
    reconnectOnError,
  };
  // Adding is bounded in time and fails while Redis is away. The worker waits for Redis by itself.
  const adding = new Redis(url, { ...common, commandTimeout: ANSWER_MS, enableOfflineQueue: false });
  const working = new WorkerRedis(url, common);
  for (const redis of [adding, working]) redis.on("error", () => {});
  const settings = { prefix: PREFIX, skipVersionCheck: true };
  const queue = new Queue(name, { ...settings, connection: adding, streams: { events: { maxLen: 100 } } });
  queue.on("error", () => {});
  let worker: Worker | undefined;

  return {
    async set(auctionId, inMs) {
      try {
        await queue.add("end", {}, { ...JOB, jobId: auctionId, delay: Math.max(0, Math.ceil(inMs)) });
      } catch (cause) {
        throw new DependencyUnavailable("The timer of the auction's end could not be set.", { cause });
      }
    },

    start(onDue) {
      worker = new Worker(
        name,
        async (job: Job, token) => {
          const leftMs = await onDue(job.id ?? "");
          if (leftMs === undefined) return;
          await job.moveToDelayed(Date.now() + leftMs, token);
          throw new DelayedError();
        },
        { ...settings, connection: working, concurrency, runRetryDelay: RETRY_MS },
      );
      worker.on("error", (error) => logger.debug({ err: error }, "a timer of an auction's end failed"));
    },

    async stop() {
      const closed = (async () => {
        // Without Redis it would wait for what is under way for ever.
        await worker?.close(working.status !== "ready");
        await queue.close();
      })().catch(() => {});
      const bound = Promise.withResolvers<void>();
      const timer = setTimeout(bound.resolve, CLOSE_MS);
      await Promise.race([closed, bound.promise]);
      clearTimeout(timer);
      adding.disconnect();
      working.disconnectAll();
    },
  };
}

/** BullMQ makes a copy of it to block on, and connects both again even once they are closed, unless Redis is there to close them. */
class WorkerRedis extends Redis {
  readonly #copies: WorkerRedis[] = [];
  /** Not there yet when the constructor connects. */
  declare over: boolean | undefined;

  override connect(callback?: Parameters<Redis["connect"]>[0]): Promise<void> {
    return this.over ? Promise.reject(new Error("This connection is closed")) : super.connect(callback);
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const options = { ...this.options, ...override };
    const copy = new WorkerRedis(options as RedisOptions & { replyMapping?: "legacy" });
    this.#copies.push(copy);
    return copy;
  }

  disconnectAll(): void {
    for (const redis of [this, ...this.#copies]) {
      redis.over = true;
      redis.disconnect();
    }
  }
}
