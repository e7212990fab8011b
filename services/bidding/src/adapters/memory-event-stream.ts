/** The stream of events in memory, for tests: a work queue with a dedupe window, which can be taken away or lose its disk. */

import { DependencyUnavailable } from "@parallax/service";
import type { Deliveries, Delivery, EventSource } from "../domain/archiving.ts";
import { type AuctionEvent, encodeEvent, messageId } from "../domain/events.ts";
import type { EventPublisher } from "../domain/outbox.ts";

export interface MemoryEventStreamOptions {
  /** Milliseconds. */
  readonly dedupeMs?: number;
  readonly patienceMs?: number;
}

interface Message {
  readonly seq: number;
  readonly text: string;
  /** Until when it is delivered; 0 while it waits. */
  until: number;
}

interface Session {
  readonly most: number;
  readonly take: (delivery: Delivery) => void;
  readonly gone: AbortController;
}

const DELIVER_MS = 5;

export class MemoryEventStream implements EventPublisher, EventSource, Disposable {
  readonly #options: Required<MemoryEventStreamOptions>;
  readonly #timer: NodeJS.Timeout;
  #messages = new Map<number, Message>();
  #known = new Map<string, { readonly seq: number; readonly at: number }>();
  #lastSeq = 0;
  #made = 1;
  #session: Session | undefined;
  #up = true;
  #back = Promise.withResolvers<void>();
  /** How often each was delivered, by its text. */
  readonly delivered = new Map<string, number>();

  constructor({ dedupeMs = 120_000, patienceMs = 10_000 }: MemoryEventStreamOptions = {}) {
    this.#options = { dedupeMs, patienceMs };
    this.#timer = setInterval(() => this.#deliver(), DELIVER_MS);
  }

  /** Takes it away, with every connection to it. */
  goAway(): void {
    this.#up = false;
    this.#session?.gone.abort();
    this.#session = undefined;
  }

  comeBack(): void {
    this.#up = true;
    this.#back.resolve();
    this.#back = Promise.withResolvers();
  }

  /** All of it is gone, and what it knew of what was published. */
  loseDisk(): void {
    this.#messages = new Map();
    this.#known = new Map();
    this.#lastSeq = 0;
    this.#made += 1;
    this.#session?.gone.abort();
    this.#session = undefined;
  }

  async publish(event: AuctionEvent) {
    await this.#answer();
    const id = messageId(event);
    const known = this.#known.get(id);
    if (known && performance.now() - known.at < this.#options.dedupeMs) {
      return { seq: known.seq, duplicate: true };
    }
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    this.#known.set(id, { seq, at: performance.now() });
    this.#messages.set(seq, { seq, text: encodeEvent(event), until: 0 });
    return { seq, duplicate: false };
  }

  async inspect() {
    await this.#answer();
    return { identity: String(this.#made), lastSeq: this.#lastSeq, waiting: this.#messages.size };
  }

  async ready(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    while (!this.#up) {
      signal.throwIfAborted();
      await Promise.race([this.#back.promise, aborted.promise]);
    }
  }

  async open(most: number, take: (delivery: Delivery) => void): Promise<Deliveries> {
    await this.#answer();
    const session: Session = { most, take, gone: new AbortController() };
    this.#session = session;
    return {
      ended: session.gone.signal,
      patienceMs: this.#options.patienceMs,
      stop: async () => {
        if (this.#session === session) this.#session = undefined;
      },
    };
  }

  async check(): Promise<void> {
    await this.#answer();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #answer(): Promise<void> {
    await Promise.resolve();
    if (!this.#up) throw new DependencyUnavailable("The stream of events is away.");
  }

  #deliver(): void {
    const session = this.#session;
    if (!session) return;
    const now = performance.now();
    let unsettled = [...this.#messages.values()].filter(({ until }) => until > now).length;
    for (const message of this.#messages.values()) {
      if (unsettled >= session.most) return;
      if (message.until > now) continue;
      unsettled += 1;
      message.until = now + this.#options.patienceMs;
      this.delivered.set(message.text, (this.delivered.get(message.text) ?? 0) + 1);
      session.take(this.#asDelivery(message, session.gone.signal));
    }
  }

  #asDelivery(message: Message, gone: AbortSignal): Delivery {
    let settled = false;
    const settle = (how: () => void) => {
      if (!settled && !gone.aborted) how();
      settled = true;
    };
    const remove = () => void this.#messages.delete(message.seq);
    return {
      text: message.text,
      ack: () => settle(remove),
      refuse: () => settle(remove),
      giveBack: () =>
        settle(() => {
          message.until = 0;
        }),
      keep: () => {
        if (!settled && !gone.aborted) message.until = performance.now() + this.#options.patienceMs;
      },
    };
  }
}
