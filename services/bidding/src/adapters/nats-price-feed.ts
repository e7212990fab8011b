/**
 * Live prices from NATS: a plain subscription for each watched auction, to the subject that the relay publishes its events to. NATS may be
 * away for as long as it likes; what happens meanwhile is not told.
 */

import type { NatsConnection, Subscription } from "@nats-io/nats-core";
import type { Logger } from "@parallax/service";
import type { PriceFeed } from "../broadcaster/live/ports.ts";
import { type AuctionEvent, decodeEvent } from "../domain/events.ts";
import { subjectOf } from "./event-stream.ts";
import type { NatsLink } from "./nats.ts";

interface Follower {
  readonly auctionId: string;
  readonly onEvent: (event: AuctionEvent) => void;
  subscription: Subscription | undefined;
}

export class NatsPriceFeed implements PriceFeed, AsyncDisposable {
  readonly #link: NatsLink;
  readonly #logger: Logger;
  readonly #followers = new Set<Follower>();
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #connection: NatsConnection | undefined;

  constructor(link: NatsLink, logger: Logger) {
    this.#link = link;
    this.#logger = logger;
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  follow(auctionId: string, onEvent: (event: AuctionEvent) => void): () => void {
    const follower: Follower = { auctionId, onEvent, subscription: undefined };
    this.#followers.add(follower);
    this.#subscribe(follower);
    return () => {
      this.#followers.delete(follower);
      if (!this.#connection?.isClosed()) follower.subscription?.unsubscribe();
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  /** Subscriptions outlast that a connection is lost and made again, but not that it is closed. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const closing = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    while (!signal.aborted) {
      const connection = await this.#link.ready(signal).catch(() => undefined);
      if (!connection || signal.aborted) return;
      this.#connection = connection;
      for (const follower of this.#followers) this.#subscribe(follower);
      await Promise.race([connection.closed(), closing]);
    }
  }

  #subscribe(follower: Follower): void {
    if (!this.#connection || this.#connection.isClosed()) return;
    const { auctionId, onEvent } = follower;
    follower.subscription = this.#connection.subscribe(subjectOf(auctionId), {
      callback: (error, message) => {
        if (error) {
          this.#logger.warn({ err: error, auction_id: auctionId }, "the subscription failed");
          return;
        }
        let event: AuctionEvent;
        try {
          event = decodeEvent(message.string());
        } catch (error) {
          this.#logger.warn({ err: error, auction_id: auctionId }, "this is no event of an auction");
          return;
        }
        onEvent(event);
      },
    });
  }
}
