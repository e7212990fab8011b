/**
 * One auction as its watchers see it: the latest that is known of it, told to all of them in the same frame.
 *
 * What is known comes from events and from readings of Redis. An event counts when its `seq` is above what is known, so that
 * late and repeated ones change nothing. A reading counts likewise, unless it contradicts what was known before it was begun: then Redis
 * has lost bids that it had acknowledged, or its clock has gone back behind an end that was told, and watchers are sent away to come
 * back for what is true now. Within a connection `seq` never goes back.
 */

import type { AuctionEvent } from "../../domain/events.ts";
import { Conflator } from "./conflator.ts";
import { textFrame } from "./frames.ts";
import { newsOf, type Observed, snapshotOf } from "./messages.ts";
import type { LiveMetrics } from "./metrics.ts";
import { closeCodes, type Watcher } from "./watcher.ts";

/** What a reading changed. */
export type Learnt = "nothing" | "news" | "contradiction";

type News = Extract<AuctionEvent, { type: "bid" | "ended" }>;

export class Channel {
  readonly auctionId: string;
  readonly #metrics: LiveMetrics;
  readonly #conflator: Conflator;
  readonly #watchers = new Set<Watcher>();
  #state: Observed | undefined;
  /** The furthest of the events that came before the first reading. */
  #early: News | undefined;
  #snapshot: { readonly of: Observed; readonly frame: Buffer } | undefined;
  /** When all of its watchers were last sent something; milliseconds, monotonic. */
  #toldAt = performance.now();

  constructor(auctionId: string, hz: number, metrics: LiveMetrics) {
    this.auctionId = auctionId;
    this.#metrics = metrics;
    this.#conflator = new Conflator({ hz, send: () => this.#tell() });
  }

  get state(): Observed | undefined {
    return this.#state;
  }

  get watchers(): ReadonlySet<Watcher> {
    return this.#watchers;
  }

  /** Sends it what is known now, and from then on what is new. Only once there has been a reading. */
  add(watcher: Watcher): void {
    const state = this.#state;
    if (!state) throw new Error(`Nothing is known of auction ${this.auctionId} yet`);
    if (this.#snapshot?.of !== state) {
      this.#snapshot = { of: state, frame: textFrame(snapshotOf(state)) };
    }
    const { frame } = this.#snapshot;
    if (watcher.send(frame)) this.#metrics.sent("snapshot", 1, frame.length);
    watcher.told = state;
    this.#watchers.add(watcher);
  }

  remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
  }

  stop(): void {
    this.#conflator.stop();
  }

  hear(event: AuctionEvent): void {
    if (event.type === "opened") return;
    const state = this.#state;
    if (!state) {
      if (!this.#early || isFurther(event, this.#early)) this.#early = event;
      return;
    }
    // After its end nothing is accepted; that an event says otherwise is for the next reading to settle.
    if (state.status === "ended") return;
    if (event.type === "bid" ? event.seq <= state.seq : event.seq < state.seq) return;
    this.#learn({ ...state, ...standingOf(event) });
  }

  /** Sends its watchers this, unless they have been sent something since then. */
  tick(frame: Buffer, since: number): void {
    if (this.#toldAt > since) return;
    this.#toldAt = performance.now();
    let sent = 0;
    for (const watcher of this.#watchers) if (watcher.send(frame)) sent += 1;
    this.#metrics.sent("tick", sent, frame.length);
  }

  /** @param before what was known when the reading was begun */
  read(reading: Observed, before: Observed | undefined): Learnt {
    const state = this.#state;
    if (!state) {
      this.#state = reading;
      if (this.#early) this.hear(this.#early);
      return "news";
    }
    if (
      reopens(reading, before) ||
      contradicts(reading, before) ||
      contradicts(reading, reading.seq === state.seq ? state : undefined)
    ) {
      this.#state = reading;
      this.#conflator.stop();
      for (const watcher of this.#watchers) {
        watcher.close(closeCodes.serviceRestart, "What was sent is no longer true: connect again.");
      }
      return "contradiction";
    }
    const isNews = reading.seq > state.seq || (reading.status === "ended" && state.status === "open");
    if (!isNews) return "nothing";
    // A reading that was overtaken by an event still knows that the auction has ended, and then the event was the last one.
    this.#learn(reading.seq < state.seq ? { ...state, status: reading.status, at: reading.at } : reading);
    return "news";
  }

  #learn(state: Observed): void {
    this.#state = state;
    if (state.status === "ended") this.#conflator.flush();
    else this.#conflator.changed();
  }

  #tell(): void {
    const state = this.#state;
    if (!state || this.#watchers.size === 0) return;
    const frame = textFrame(newsOf(state));
    this.#toldAt = performance.now();
    let sent = 0;
    for (const watcher of this.#watchers) {
      // Who came a moment ago had it in the snapshot.
      if (watcher.told === state) continue;
      watcher.told = state;
      if (watcher.send(frame)) sent += 1;
    }
    this.#metrics.sent(state.status === "ended" ? "ended" : "price", sent, frame.length);
  }
}

function isFurther(event: News, other: News): boolean {
  return event.seq > other.seq || (event.seq === other.seq && event.type === "ended");
}

function standingOf(event: News): Pick<Observed, "seq" | "highest" | "status" | "at"> {
  const { type, seq, amount, bid_id, bidder_id, at } = event;
  return {
    seq,
    highest:
      amount === null || bid_id === null || bidder_id === null
        ? null
        : { amount, bidId: bid_id, bidderId: bidder_id },
    status: type === "ended" ? "ended" : "open",
    at,
  };
}

/** Whether what was over goes on: the clock by which it was over has gone back, or the end is lost. */
function reopens(reading: Observed, before: Observed | undefined): boolean {
  return before?.status === "ended" && reading.status === "open";
}

/** Whether bids that were known are gone from Redis, or others are in their place. */
function contradicts(reading: Observed, known: Observed | undefined): boolean {
  if (!known) return false;
  if (reading.seq !== known.seq) return reading.seq < known.seq;
  return reading.highest?.bidId !== known.highest?.bidId;
}
