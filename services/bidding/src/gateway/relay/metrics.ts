/** What is measured of the outbox and its relay. */

import type { Metrics } from "@parallax/service";
import type { OutboxState } from "../../domain/outbox.ts";

export type RelayMetrics = ReturnType<typeof createRelayMetrics>;

export function createRelayMetrics(metrics: Metrics) {
  let state: OutboxState = { length: 0, oldestAgeMs: 0 };
  metrics.gauge("bidding_outbox_length", "Events that are not archived.", () => state.length);
  metrics.gauge(
    "bidding_outbox_oldest_seconds",
    "Age of the oldest of them.",
    () => state.oldestAgeMs / 1000,
  );
  return {
    outbox(now: OutboxState) {
      state = now;
    },
    leader: metrics.gauge("bidding_relay_leader", "1 for the one gateway that relays."),
    inFlight: metrics.gauge("bidding_relay_in_flight", "Events on their way to JetStream."),
    published: metrics.counter("bidding_relay_published_total", "Events that JetStream took, new or known.", [
      "result",
    ]),
    republished: metrics.counter("bidding_relay_republished_total", "Events that this relay sent once more."),
    unreadable: metrics.counter(
      "bidding_relay_unreadable_total",
      "Entries of the outbox that hold no event.",
    ),
    begun: metrics.counter(
      "bidding_relay_begun_total",
      "Times that the relay began at the oldest entry, by why.",
      ["why"],
    ),
    failures: metrics.counter("bidding_relay_failures_total", "Failures survived, by what failed.", ["what"]),
  };
}
