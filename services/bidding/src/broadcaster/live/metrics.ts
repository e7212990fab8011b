/** What live prices count. */

import type { Metrics } from "@parallax/service";
import type { CutOff } from "./watcher.ts";

export type FrameKind = "snapshot" | "price" | "ended" | "tick";
/** Why a WebSocket was not opened. */
export type Refusal = "path" | "origin" | "handshake" | "stopping" | "watchers" | "unknown auction" | "redis";
export type ReconcileOutcome = "same" | "behind" | "contradiction" | "failed";

export interface LiveMetrics {
  sent(kind: FrameKind, frames: number, bytesEach: number): void;
  heard(): void;
  cutOff(why: CutOff): void;
  refused(why: Refusal): void;
  reconciled(outcome: ReconcileOutcome, auctions?: number): void;
}

/** What is counted when it is asked for. */
export interface LiveFigures {
  readonly watchers: number;
  readonly auctions: number;
  readonly bufferedBytes: number;
  readonly feedConnected: boolean;
}

export function createLiveMetrics(metrics: Metrics, figures: () => LiveFigures): LiveMetrics {
  metrics.gauge("bidding_live_watchers", "WebSockets that are open.", () => figures().watchers);
  metrics.gauge("bidding_live_auctions", "Auctions that are watched.", () => figures().auctions);
  metrics.gauge(
    "bidding_live_buffered_bytes",
    "Bytes that wait for watchers to read.",
    () => figures().bufferedBytes,
  );
  metrics.gauge("bidding_live_feed_connected", "1 while NATS is connected, else 0.", () =>
    Number(figures().feedConnected),
  );
  const frames = metrics.counter("bidding_live_frames_total", "Frames sent to watchers, by what they say.", [
    "type",
  ]);
  const bytes = metrics.counter("bidding_live_bytes_total", "Bytes of those frames.");
  const events = metrics.counter("bidding_live_events_total", "Events heard of watched auctions.");
  const cutOff = metrics.counter("bidding_live_cut_off_total", "Watchers that were cut off, by reason.", [
    "reason",
  ]);
  const refused = metrics.counter("bidding_live_refused_total", "WebSockets that were refused, by reason.", [
    "reason",
  ]);
  const reconciled = metrics.counter(
    "bidding_live_reconciled_total",
    "Auctions held against Redis, by outcome; `behind`: Redis knew more, `contradiction`: it had lost what was known.",
    ["outcome"],
  );
  return {
    sent(type, count, bytesEach) {
      frames.inc({ type }, count);
      bytes.inc(count * bytesEach);
    },
    heard: () => events.inc(),
    cutOff: (reason) => cutOff.inc({ reason }),
    refused: (reason) => refused.inc({ reason }),
    reconciled: (outcome, auctions = 1) => reconciled.inc({ outcome }, auctions),
  };
}
