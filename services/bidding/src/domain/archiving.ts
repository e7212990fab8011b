/**
 * What the archiver needs of the world: the store that it writes to, the deliveries that it writes. Each has an adapter over a
 * real server and an in-memory twin, which keep the same contract (test/contract).
 */

import type { AuctionEvent } from "./events.ts";

/** What became of a batch; the counts add up to its size. */
export interface Archived {
  readonly inserted: number;
  /** Were there already, the same. */
  readonly duplicates: number;
  /** Contradict what is there, and are kept beside it from now on. Those that were kept before count as duplicates. */
  readonly conflicts: readonly AuctionEvent[];
}

export interface ArchiveStore {
  /**
   * Writes all of them or none. They may be in any order, and the same one may be there and come more than once.
   * @throws DependencyUnavailable when it does not answer: they may be written or not; DataRefused: they are not
   */
  write(events: readonly AuctionEvent[]): Promise<Archived>;
  /** @throws DependencyUnavailable */
  check(): Promise<void>;
}

/** The store takes an event of these for wrong, and would each time. */
export class DataRefused extends Error {
  override readonly name = "DataRefused";
  readonly code = "DATA_REFUSED";
}

/** A message; to be settled once, by any of the three. None of them throws: what does not arrive is delivered again. */
export interface Delivery {
  /** Of an event, if all is well. */
  readonly text: string;
  ack(): void;
  /** It is delivered again at once. */
  giveBack(): void;
  /** It is not delivered again. */
  refuse(): void;
  /** It is being worked at: for the time being it is not delivered again. */
  keep(): void;
}

/** Deliveries of one connection; at its end, what was not settled is delivered again sometime. */
export interface Deliveries {
  /** Aborts when there will be no more of them and settling has no effect. */
  readonly ended: AbortSignal;
  /** Milliseconds within which a delivery must be settled or kept. */
  readonly patienceMs: number;
  /** No more of them are handed over. */
  stop(): Promise<void>;
}

export interface EventSource {
  /**
   * Begins to hand over deliveries, `most` unsettled ones at the most.
   * @throws DependencyUnavailable
   */
  open(most: number, take: (delivery: Delivery) => void): Promise<Deliveries>;
  /** @throws DependencyUnavailable */
  check(): Promise<void>;
}

/** Of those who archive, one is active. */
export interface Turn {
  /** Waits until it is one's turn. @throws the signal's reason */
  take(signal: AbortSignal): Promise<{
    /** Aborts when it may be another's turn. */
    readonly lost: AbortSignal;
    end(): Promise<void>;
  }>;
}
