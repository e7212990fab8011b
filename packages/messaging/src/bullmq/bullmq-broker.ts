/**
 * The Broker port on BullMQ, on Redis alone: no API of AWS at all. Topic and queue are one queue, its failed set is the
 * dead-letter queue. docs/decisions/0016-bullmq-as-second-broker.md says where it differs from SNS and SQS.
 */

import type { Broker, QueueOperator } from "../broker.ts";
import { leasingConsumer } from "../consumer/leasing-consumer.ts";
import type { LeasedQueue } from "../queue.ts";
import { BullQueue } from "./bull-queue.ts";
import { leasedJobs } from "./leased-jobs.ts";
import { BrokerRedis } from "./redis.ts";

export interface BullmqAddress {
  /** redis:// or rediss:// */
  readonly url: string;
  /** Without a colon, which BullMQ keeps for itself. */
  readonly queue: string;
}

export interface BullmqOptions extends BullmqAddress {
  /** A lock's length: how long a message stays with a consumer that gives no sign of life. */
  readonly visibilitySeconds: number;
  /** Received this often in vain, stalls included, a message is dead-lettered. */
  readonly maxReceiveCount: number;
}

/** Opens no connection by itself: the first call does. */
export function connectBullmq(options: BullmqOptions): Broker {
  const redis = new BrokerRedis(options.url);
  const queue = new BullQueue(redis, options.queue);
  const open = new Set<LeasedQueue>();
  return {
    kind: "bullmq",
    prepare: () => queue.check(),
    publish: (message) => queue.add(message),

    consume(handler, consumeOptions) {
      const jobs = leasedJobs({
        ...options,
        redis,
        onError: (error) => consumeOptions.onError?.(error, "receive"),
      });
      open.add(jobs);
      return leasingConsumer(jobs, handler, consumeOptions);
    },

    depth: () => queue.depth(),
    deadLetters: (limit) => queue.deadLetters(limit),
    redrive: (redriveOptions) => queue.redrive(redriveOptions),
    check: () => queue.check(),

    async [Symbol.asyncDispose]() {
      await Promise.all([...open].map((jobs) => jobs.close?.()));
      await queue[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

/** Looks after a queue without being its producer or consumer. Opens no connection by itself. */
export function bullmqOperator({ url, queue: name }: BullmqAddress): QueueOperator {
  const redis = new BrokerRedis(url);
  const queue = new BullQueue(redis, name);
  return {
    depth: () => queue.depth(),
    deadLetters: (limit) => queue.deadLetters(limit),
    redrive: (options) => queue.redrive(options),
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}
