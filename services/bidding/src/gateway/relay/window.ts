/**
 * Events on their way: published without waiting for each other, a bounded number at once, and the oldest that failed is remembered,
 * since the relay goes back to it.
 */

import { setImmediate } from "node:timers/promises";
import type { AuctionEvent } from "../../domain/events.ts";
import { compareIds, type EventPublisher } from "../../domain/outbox.ts";

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
  #failed: Failure | undefined;
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

  /** Whether one more may be sent. None may after one has failed. */
  get open(): boolean {
    return this.#inFlight < this.#options.mostInFlight && !this.#failed;
  }

  /**
   * Resolves when there is room, or one has failed.
   * @returns `open`
   */
  async room(): Promise<boolean> {
    // Until a half of it has been answered: what is sent at once then goes out in one write to the socket.
    while (this.#inFlight > this.#options.mostInFlight / 2 && !this.#failed) {
      await this.#next();
      // Answers come many at once.
      await setImmediate();
    }
    return this.open;
  }

  /**
   * Sends the event at once.
   * @param after the entry before it
   */
  send(event: AuctionEvent, after: string): void {
    void this.#publish(event, after);
  }

  /** Resolves when nothing is on its way; the failures are forgotten then. @returns the oldest of them */
  async settle(): Promise<Failure | undefined> {
    while (this.#inFlight > 0) await this.#next();
    const failed = this.#failed;
    this.#failed = undefined;
    return failed;
  }

  async #publish(event: AuctionEvent, after: string): Promise<void> {
    this.#inFlight += 1;
    try {
      this.#options.onKept(await this.#options.publisher.publish(event));
    } catch (error) {
      // By entry and not by when it was sent: the outbox may have been begun anew in between.
      if (!this.#failed || compareIds(after, this.#failed.after) < 0) this.#failed = { after, error };
    }
    this.#inFlight -= 1;
    this.#settled.resolve();
  }

  #next(): Promise<void> {
    this.#settled = Promise.withResolvers();
    return this.#settled.promise;
  }
}
