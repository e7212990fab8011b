/**
 * As many workers as the backlog asks for: so many orders waiting for each worker, no more and no less. It is what AWS
 * recommends for consumers of SQS ("backlog per instance", target tracking), with workers of one process in the place of
 * tasks: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html
 *
 * A queue's length alone is a bad target: it does not fall in proportion when there are more workers, and a good length
 * depends on how fast these are. A good backlog per worker does not: it is the wait that is acceptable, divided by the time
 * that an order takes.
 *
 * More workers come at once; fewer only when a cool-down has passed since the last change, since a queue that is empty for a
 * moment is no reason to send workers home. Who has an order in hand finishes it.
 */

import { setTimeout as sleep } from "node:timers/promises";

export interface ScalingRule {
  /** Orders that may wait for each worker, above 0. */
  readonly backlogPerWorker: number;
  readonly least: number;
  readonly most: number;
  /** Seconds without any change before there are fewer workers. */
  readonly cooldownSeconds: number;
}

export interface ScalingState {
  readonly workers: number;
  /** Orders that wait for a worker; those in hand do not count. */
  readonly waiting: number;
  readonly sinceChangeSeconds: number;
}

/** How many workers there are to be now: a whole number from `least` to `most`. */
export function desiredWorkers(rule: ScalingRule, state: ScalingState): number {
  const { backlogPerWorker, least, most, cooldownSeconds } = rule;
  const wanted = Math.min(most, Math.max(least, Math.ceil(state.waiting / backlogPerWorker)));
  if (wanted >= state.workers) return wanted;
  // Never more than there may be, whatever the cool-down says: the rule may have changed.
  return state.sinceChangeSeconds < cooldownSeconds ? Math.min(most, state.workers) : wanted;
}

export interface ScalingLoop {
  readonly workers: number;
  /** Resolves when it has stopped; the workers stay as many as they are. */
  stop(): Promise<void>;
}

export interface ScalingOptions extends ScalingRule {
  readonly intervalSeconds: number;
  /** Orders that wait now. Failing to tell changes nothing: the workers stay as many as they are. */
  waiting(): Promise<number>;
  resize(workers: number): void;
  /** Told of each change, and of a depth that could not be had. */
  onChange(workers: number, waiting: number): void;
  onError(error: unknown): void;
}

/** Looks at the queue once an interval. Begins with `least` workers, which are there already. */
export function scaleByBacklog(options: ScalingOptions): ScalingLoop {
  const { intervalSeconds, least, resize, onChange, onError } = options;
  const stopping = new AbortController();
  let workers = least;
  let changed = performance.now();

  async function look(): Promise<void> {
    const waiting = await options.waiting();
    // Stopped while it was asked: the consumer may be gone.
    if (stopping.signal.aborted) return;
    const now = performance.now();
    const wanted = desiredWorkers(options, { workers, waiting, sinceChangeSeconds: (now - changed) / 1000 });
    if (wanted === workers) return;
    workers = wanted;
    changed = now;
    resize(workers);
    onChange(workers, waiting);
  }

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await look().catch(onError);
      await sleep(intervalSeconds * 1000, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    get workers() {
      return workers;
    },
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
