/**
 * All auctions that are watched, each followed from its first watcher to its last: entering, holding them against Redis, pings and ticks,
 * and the orderly end.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable, type Logger, NotFound } from "@parallax/service";
import { Channel } from "./channel.ts";
import { textFrame } from "./frames.ts";
import { type Observed, TICK_SECONDS, tick } from "./messages.ts";
import type { LiveFigures, LiveMetrics } from "./metrics.ts";
import type { AuctionReader, PriceFeed } from "./ports.ts";
import { closeCodes, type Watcher } from "./watcher.ts";

export interface BroadcastParts {
  readonly reader: AuctionReader;
  readonly feed: PriceFeed;
  readonly logger: Logger;
  readonly metrics: (figures: () => LiveFigures) => LiveMetrics;
  readonly hz: number;
  readonly pingSeconds: number;
  readonly reconcileSeconds: number;
  /** Of silence, after which watchers are told that there is nothing new: TICK_SECONDS, unless told. */
  readonly tickSeconds?: number;
}

/** A place at an auction, for one watcher. */
export interface Place {
  /** Sends the watcher what is known now, and from then on what is new. */
  take(watcher: Watcher): void;
  /** Gives the place up; to be called once, whether or not it was taken. */
  leave(): void;
}

interface Followed {
  readonly channel: Channel;
  readonly unfollow: () => void;
  /** Watchers, and those who are about to be. */
  places: number;
  reading: Promise<boolean> | undefined;
  nextReading: Promise<boolean> | undefined;
}

/** Auctions asked of Redis in one go. */
const READ_TOGETHER = 500;
const DRAIN_LOOK_MS = 20;
const LOOK_MS = 1000;

export class Broadcast {
  readonly metrics: LiveMetrics;
  readonly #parts: BroadcastParts;
  readonly #followed = new Map<string, Followed>();
  /** By the second of the ping's interval in which each is pinged. */
  readonly #watchers: readonly Set<Watcher>[];
  readonly #stopping = new AbortController();
  /** One timer for all, whoever is to be pinged or has been told nothing. */
  readonly #looks: NodeJS.Timeout;
  readonly #reconciling: Promise<void>;
  #entered = 0;
  #second = 0;
  #isReadable = true;

  constructor(parts: BroadcastParts) {
    this.#parts = parts;
    this.metrics = parts.metrics(() => this.figures);
    this.#watchers = Array.from({ length: parts.pingSeconds }, () => new Set<Watcher>());
    this.#looks = setInterval(() => {
      this.#ping();
      this.#tick();
    }, LOOK_MS);
    this.#reconciling = this.#keepReconciling();
  }

  get figures(): LiveFigures {
    let watchers = 0;
    let bufferedBytes = 0;
    for (const each of this.#watchers) {
      watchers += each.size;
      for (const watcher of each) bufferedBytes += watcher.bufferedBytes;
    }
    const { feed } = this.#parts;
    return { watchers, bufferedBytes, auctions: this.#followed.size, feedConnected: feed.connected };
  }

  /**
   * @throws NotFound when there is no such auction, DependencyUnavailable when it cannot be read
   */
  async enter(auctionId: string): Promise<Place> {
    const followed = this.#followed.get(auctionId) ?? this.#follow(auctionId);
    followed.places += 1;
    try {
      if (!(await this.#refresh(followed))) throw new NotFound(`There is no auction ${auctionId} to watch.`);
    } catch (error) {
      this.#leave(followed);
      throw error;
    }
    let taken: { readonly watcher: Watcher; readonly slot: Set<Watcher> } | undefined;
    return {
      take: (watcher) => {
        const slot = this.#watchers[this.#entered++ % this.#watchers.length] as Set<Watcher>;
        taken = { watcher, slot };
        slot.add(watcher);
        followed.channel.add(watcher);
      },
      leave: () => {
        if (taken) {
          taken.slot.delete(taken.watcher);
          followed.channel.remove(taken.watcher);
        }
        this.#leave(followed);
      },
    };
  }

  /** Tells all watchers to go, and cuts off those who have not gone after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#looks);
    for (const each of this.#watchers) {
      for (const watcher of each) watcher.close(closeCodes.goingAway, "The server is stopping.");
    }
    const until = performance.now() + graceMs;
    while (this.figures.watchers > 0 && performance.now() < until) await sleep(DRAIN_LOOK_MS);
    for (const each of this.#watchers) for (const watcher of each) watcher.terminate();
    await this.#reconciling;
    for (const { channel, unfollow } of this.#followed.values()) {
      unfollow();
      channel.stop();
    }
  }

  #follow(auctionId: string): Followed {
    const channel = new Channel(auctionId, this.#parts.hz, this.metrics);
    const unfollow = this.#parts.feed.follow(auctionId, (event) => {
      this.metrics.heard();
      channel.hear(event);
    });
    const followed = { channel, unfollow, places: 0, reading: undefined, nextReading: undefined };
    this.#followed.set(auctionId, followed);
    return followed;
  }

  #leave(followed: Followed): void {
    followed.places -= 1;
    if (followed.places > 0) return;
    this.#followed.delete(followed.channel.auctionId);
    followed.unfollow();
    followed.channel.stop();
  }

  /**
   * A reading that begins no earlier than now, shared by all who ask for one meanwhile: thousands may come at once when they come back.
   * Resolves to whether there is such an auction.
   */
  #refresh(followed: Followed): Promise<boolean> {
    if (!followed.reading) {
      followed.reading = this.#readOne(followed).finally(() => {
        followed.reading = undefined;
      });
      return followed.reading;
    }
    followed.nextReading ??= followed.reading
      .catch(() => {})
      .then(() => {
        followed.nextReading = undefined;
        return this.#refresh(followed);
      });
    return followed.nextReading;
  }

  async #readOne({ channel }: Followed): Promise<boolean> {
    try {
      const [exists = false] = await this.#read([channel]);
      return exists;
    } catch (cause) {
      throw new DependencyUnavailable("The auction's state cannot be read now.", {
        cause,
        retryAfterSeconds: 1,
      });
    }
  }

  /** Whether each of them exists, in their order. */
  async #read(channels: readonly Channel[]): Promise<boolean[]> {
    const before = channels.map(({ state }) => state);
    const { at, auctions } = await this.#parts.reader.read(channels.map(({ auctionId }) => auctionId));
    return channels.map((channel, index) => {
      const auction = auctions[index];
      // One that Redis does not keep any longer: its watchers know how it ended.
      if (!auction) return false;
      this.#learn(channel, { ...auction, at }, before[index]);
      return true;
    });
  }

  #learn(channel: Channel, reading: Observed, before: Observed | undefined): void {
    const learnt = channel.read(reading, before);
    if (!before) return;
    this.metrics.reconciled(learnt === "nothing" ? "same" : learnt === "news" ? "behind" : learnt);
    if (learnt !== "contradiction") return;
    this.#parts.logger.error(
      { auction_id: channel.auctionId, known_seq: before.seq, redis_seq: reading.seq },
      "Redis has lost what it had told; the auction's watchers are told to come back",
    );
  }

  async #keepReconciling(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await sleep(this.#parts.reconcileSeconds * 1000, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.#reconcile();
    }
  }

  async #reconcile(): Promise<void> {
    const channels = [...this.#followed.values()].map(({ channel }) => channel);
    for (let from = 0; from < channels.length; from += READ_TOGETHER) {
      const some = channels.slice(from, from + READ_TOGETHER);
      try {
        await this.#read(some);
        this.#tellReadable(true);
      } catch (error) {
        this.metrics.reconciled("failed", some.length);
        this.#tellReadable(false, error);
        return;
      }
    }
  }

  /** In the log, when it changes. */
  #tellReadable(isReadable: boolean, error?: unknown): void {
    if (isReadable === this.#isReadable) return;
    this.#isReadable = isReadable;
    const { logger } = this.#parts;
    if (isReadable) logger.info("auctions can be read again");
    else logger.warn({ err: error }, "auctions cannot be read; watchers are sent what NATS tells");
  }

  #ping(): void {
    this.#second = (this.#second + 1) % this.#watchers.length;
    for (const watcher of this.#watchers[this.#second] ?? []) watcher.ping();
  }

  #tick(): void {
    const { tickSeconds = TICK_SECONDS } = this.#parts;
    // Half a look early rather than late, so that a tick does not wait for the next look over a millisecond.
    const since = performance.now() - tickSeconds * 1000 + LOOK_MS / 2;
    const frame = textFrame(tick());
    for (const { channel } of this.#followed.values()) channel.tick(frame, since);
  }
}
