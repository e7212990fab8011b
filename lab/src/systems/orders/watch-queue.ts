/**
 * The depth of the orders' queue, once a second, whatever happens to the lab meanwhile: a lab that is down or a broker that is
 * away is a reading too, and when they come back the watching goes on.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { QueueDepth, QueueOperator } from "@parallax/messaging";
import { messageOf } from "../../cli/lab-error.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import type { BrokerName } from "../../settings.ts";
import { type BrokerAccess, brokerAccess, openQueue } from "./order-queue.ts";

export type QueueReading = { readonly at: Date } & (
  | { readonly state: "known"; readonly broker: BrokerName; readonly depth: QueueDepth }
  | { readonly state: "broker-away"; readonly broker: BrokerName | undefined; readonly reason: string }
  /** Also a lab without orders: `error` says what to do about it. */
  | { readonly state: "lab-down"; readonly reason: string; readonly error: unknown }
);

export interface WatchOptions {
  /** Asked again whenever the lab does not answer: it may come back on another runtime. */
  open(): Promise<Runtime>;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Readings; endless unless told. */
  readonly count?: number | undefined;
  /** Milliseconds from one reading to the next; a second unless told. */
  readonly interval?: number;
}

/** Finding the lab and connecting to its broker takes longer than a reading: only after this is a silent broker called away. */
const FIRST_ANSWER_MS = 10_000;

/** Ends after `count` readings, or when the signal aborts. Never rejects. */
export async function* watchQueue(options: WatchOptions): AsyncGenerator<QueueReading> {
  const { open, signal, count = Number.POSITIVE_INFINITY, interval = 1_000 } = options;
  // A little less than the interval: a broker that is slow must not make the readings late.
  await using queue = new WatchedQueue(open, interval * 0.9);
  let began: number | undefined;
  for (let done = 0; done < count && !signal.aborted; done += 1) {
    const wait = (began ?? 0) + done * interval - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const reading = await queue.read(signal);
    began ??= performance.now();
    if (signal.aborted) return;
    yield reading;
  }
}

class WatchedQueue implements AsyncDisposable {
  readonly #open: () => Promise<Runtime>;
  /** Milliseconds, from the second answer on. */
  readonly #patience: number;
  #answered = false;
  #runtime: Runtime | undefined;
  #access: BrokerAccess | undefined;
  #queue: QueueOperator | undefined;
  #pending: { readonly answer: Promise<QueueReading>; readonly since: number } | undefined;

  constructor(open: () => Promise<Runtime>, patience: number) {
    this.#open = open;
    this.#patience = patience;
  }

  /** What is known when the patience is over; a question that is still open then is waited for by the next reading. */
  async read(signal: AbortSignal): Promise<QueueReading> {
    this.#pending ??= { answer: this.#ask(), since: performance.now() };
    const { answer, since } = this.#pending;
    const over = new AbortController();
    const patience = this.#answered ? this.#patience : FIRST_ANSWER_MS;
    const until = AbortSignal.any([signal, over.signal]);
    const late = sleep(patience, undefined, { signal: until }).catch(() => {});
    const reading = await Promise.race([answer, late]);
    over.abort();
    if (reading !== undefined) {
      this.#pending = undefined;
      this.#answered = true;
      return reading;
    }
    const seconds = ((performance.now() - since) / 1_000).toFixed(1);
    const reason = `There has been no answer for ${seconds} s.`;
    return { at: new Date(), state: "broker-away", broker: this.#access?.kind, reason };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Closing ends what is still being asked.
    await this.#close();
    await this.#pending?.answer;
    await this.#close();
  }

  async #ask(): Promise<QueueReading> {
    let access: BrokerAccess;
    try {
      this.#runtime ??= await this.#open();
      access = await brokerAccess(this.#runtime);
    } catch (error) {
      this.#runtime = undefined;
      await this.#close();
      return { at: new Date(), state: "lab-down", reason: messageOf(error), error };
    }
    try {
      // An experiment may have switched brokers.
      if (!isDeepStrictEqual(access, this.#access)) {
        await this.#close();
        this.#access = access;
        this.#queue = openQueue(access);
      }
      const depth = await (this.#queue as QueueOperator).depth();
      return { at: new Date(), state: "known", broker: access.kind, depth };
    } catch (error) {
      return { at: new Date(), state: "broker-away", broker: access.kind, reason: messageOf(error) };
    }
  }

  async #close(): Promise<void> {
    const queue = this.#queue;
    this.#queue = undefined;
    this.#access = undefined;
    await queue?.[Symbol.asyncDispose]();
  }
}
