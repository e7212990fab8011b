/**
 * The Broker port in memory, for tests and benchmarks: the same leases, receive counts and dead-letter
 * queue as SQS, the same consumer, no network. Keeps nothing when the process ends.
 */

import { randomUUID } from "node:crypto";
import type {
  Broker,
  ConsumeOptions,
  Consumer,
  Handler,
  OutgoingMessage,
  QueueDepth,
  RedriveOptions,
} from "../broker.ts";
import { leasingConsumer } from "../consumer/leasing-consumer.ts";
import { BrokerUnavailable } from "../errors.ts";
import type { LeasedQueue, ReceivedMessage } from "../queue.ts";

export interface MemoryBrokerOptions {
  readonly visibilitySeconds?: number;
  readonly maxReceiveCount?: number;
  /** Messages it holds; one more is refused as BrokerUnavailable. */
  readonly capacity?: number;
}

interface Stored extends OutgoingMessage {
  readonly id: string;
  receiveCount: number;
}

interface Leased {
  readonly message: Stored;
  /** performance.now() from which the message is visible again. */
  endsAt: number;
}

const WAIT_MS = 20_000;

export class MemoryBroker implements Broker {
  readonly kind = "memory";
  readonly #options: Required<MemoryBrokerOptions>;
  readonly #visible = new Set<Stored>();
  /** By receipt. */
  readonly #leased = new Map<string, Leased>();
  readonly #deadLetters: Stored[] = [];
  readonly #wakers = new Set<() => void>();
  #down = false;

  constructor(options: MemoryBrokerOptions = {}) {
    this.#options = { visibilitySeconds: 30, maxReceiveCount: 5, capacity: 1_000_000, ...options };
  }

  /** While cut off, every call fails as it does when no broker answers; what is stored stays. */
  cutOff(down: boolean): void {
    this.#down = down;
    this.#wake();
  }

  async prepare(): Promise<void> {
    this.#requireUp();
  }

  async check(): Promise<void> {
    this.#requireUp();
  }

  async publish(message: OutgoingMessage): Promise<void> {
    this.#requireUp();
    if (this.#visible.size + this.#leased.size >= this.#options.capacity) {
      throw new BrokerUnavailable("The broker is full");
    }
    this.#visible.add({ ...message, id: randomUUID(), receiveCount: 0 });
    this.#wake();
  }

  consume(handler: Handler, options: ConsumeOptions): Consumer {
    return leasingConsumer(this.#queue(), handler, options);
  }

  async depth(): Promise<QueueDepth> {
    this.#requireUp();
    this.#reclaim();
    return {
      visible: this.#visible.size,
      inFlight: this.#leased.size,
      delayed: 0,
      deadLettered: this.#deadLetters.length,
    };
  }

  async deadLetters(limit: number): Promise<readonly OutgoingMessage[]> {
    this.#requireUp();
    return this.#deadLetters.slice(0, limit).map(({ body, attributes }) => ({ body, attributes }));
  }

  async redrive({ limit = Number.POSITIVE_INFINITY, signal, onMoved }: RedriveOptions = {}) {
    this.#requireUp();
    signal?.throwIfAborted();
    const letters = this.#deadLetters.splice(0, Math.min(limit, this.#deadLetters.length));
    for (const message of letters) this.#visible.add({ ...message, id: randomUUID(), receiveCount: 0 });
    if (letters.length > 0) onMoved?.(letters.length);
    this.#wake();
    return { moved: letters.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutOff(true);
  }

  #queue(): LeasedQueue {
    return {
      visibilitySeconds: this.#options.visibilitySeconds,
      receive: (max, signal) => this.#receive(max, signal),
      remove: async (receipts) => this.#each(receipts, (receipt) => this.#leased.delete(receipt)),
      hide: async (receipts, seconds) =>
        this.#each(receipts, (_receipt, leased) => {
          leased.endsAt = performance.now() + seconds * 1000;
          this.#wake();
        }),
    };
  }

  async #receive(max: number, signal: AbortSignal): Promise<ReceivedMessage[]> {
    const until = performance.now() + WAIT_MS;
    while (!signal.aborted) {
      this.#requireUp();
      const received = this.#take(max);
      if (received.length > 0 || performance.now() >= until) return received;
      await this.#change(signal, until);
    }
    return [];
  }

  #take(max: number): ReceivedMessage[] {
    this.#reclaim();
    const received: ReceivedMessage[] = [];
    for (const message of this.#visible) {
      if (received.length === max) break;
      this.#visible.delete(message);
      if (message.receiveCount >= this.#options.maxReceiveCount) {
        this.#deadLetters.push(message);
        continue;
      }
      message.receiveCount += 1;
      const receipt = randomUUID();
      const endsAt = performance.now() + this.#options.visibilitySeconds * 1000;
      this.#leased.set(receipt, { message, endsAt });
      received.push({ ...message, receipt });
    }
    return received;
  }

  /** Makes visible again what was leased and not acknowledged in time. */
  #reclaim(): void {
    const now = performance.now();
    for (const [receipt, { message, endsAt }] of this.#leased) {
      if (endsAt > now) continue;
      this.#leased.delete(receipt);
      this.#visible.add(message);
    }
  }

  /** Applies `change` to the leases that are still held and returns the receipts of those that are not. */
  #each(receipts: readonly string[], change: (receipt: string, leased: Leased) => void): string[] {
    this.#requireUp();
    this.#reclaim();
    return receipts.filter((receipt) => {
      const leased = this.#leased.get(receipt);
      if (leased) change(receipt, leased);
      return leased === undefined;
    });
  }

  /** Resolves when something may have become visible. */
  async #change(signal: AbortSignal, until: number): Promise<void> {
    let next = until;
    for (const { endsAt } of this.#leased.values()) next = Math.min(next, endsAt);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(1, next - performance.now()));
      this.#wakers.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  #requireUp(): void {
    if (this.#down) throw new BrokerUnavailable("The in-memory broker is cut off");
  }
}
