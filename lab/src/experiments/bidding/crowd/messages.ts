/** What the lab and the thread of a crowd say to each other. */

import type { SeenLive } from "../../../verdicts/bidding-evidence.ts";

export interface CrowdPlan {
  /** Origin of the broadcaster. */
  readonly url: string;
  readonly auctionId: string;
  readonly watchers: number;
  /** More, which are let in and then read nothing. */
  readonly stalled: number;
}

/** To the thread: what was received between these times, in milliseconds since the epoch. */
export interface CrowdRequest {
  readonly from: number;
  readonly to: number;
}

export interface CrowdNow {
  /** That read, and are connected. */
  readonly connected: number;
  /** Lowest number that any of these was told last; undefined where there is none. */
  readonly slowest: number | undefined;
  /** Messages received by all so far. */
  readonly messages: number;
  /** Stalled ones that have not been cut off. */
  readonly stalled: number;
}

export interface CrowdReport {
  readonly seen: SeenLive;
  /** Prices that arrived in that time, at all of them together. */
  readonly prices: number;
  /** Their ways, an HDR histogram in microseconds, compressed; undefined without one. */
  readonly latencies: string | undefined;
  /** Milliseconds from being let in to being cut off, of those stalled ones that were. */
  readonly cutOffMs: readonly number[];
}

/** From the thread. */
export type CrowdAnswer =
  | ({ readonly tell: "now" } & CrowdNow)
  | { readonly tell: "gathered" }
  | { readonly tell: "failed"; readonly reason: string }
  | ({ readonly tell: "report" } & CrowdReport);
