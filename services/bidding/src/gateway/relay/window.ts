/**
 * Events on their way: published without waiting for each other, a bounded number at once, and the oldest that failed is remembered,
 * since the relay goes back to it.
 */

import type { AuctionEvent } from "../../domain/events.ts";
import type { EventPublisher } from "../../domain/outbox.ts";

export interface Failure {
  /** Entry after which to begin again. */
  readonly after: string;
  readonly error: unknown;
}

export interface WindowOptions {
  readonly publisher: Pick<EventPublisher, "publish">;
  readonly mostInFlight: number;
  onKept(kept: Awaited<ReturnType<EventPublisher["publish"]>>): void;
}

export class PublishWindow {
  readonly #options: WindowOptions;
  #inFlight = 0;
  #sent = 0;
  #failed: (Failure & { readonly place: number }) | undefined;
  #settled = Promise.withResolvers<void>();

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get failed(): boolean {
    return this.#failed !== undefined;
  }

  /**
   * Sends the event as soon as there is room.
   * @param after the entry before it
   * @returns false where it was not sent, since another one has failed
   */
  async add(event: AuctionEvent, after: string): Promise<boolean> {
    while (this.#inFlight >= this.#options.mostInFlight && !this.#failed) await this.#next();
    if (this.#failed) return false;
    this.#sent += 1;
    void this.#publish(event, after, this.#sent);
    return true;
  }

  /** Resolves when nothing is on its way; the failures are forgotten then. @returns the oldest of them */
  async settle(): Promise<Failure | undefined> {
    while (this.#inFlight > 0) await this.#next();
    const failed = this.#failed;
    this.#failed = undefined;
    return failed;
  }

  async #publish(event: AuctionEvent, after: string, place: number): Promise<void> {
    this.#inFlight += 1;
    try {
      this.#options.onKept(await this.#options.publisher.publish(event));
    } catch (error) {
      if (!this.#failed || place < this.#failed.place) this.#failed = { after, error, place };
    }
    this.#inFlight -= 1;
    this.#settled.resolve();
  }

  #next(): Promise<void> {
    this.#settled = Promise.withResolvers();
    return this.#settled.promise;
  }
}
