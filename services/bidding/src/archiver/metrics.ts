/** What is measured of archiving. */

import type { Metrics } from "@parallax/service";

export type ArchiverMetrics = ReturnType<typeof createArchiverMetrics>;

export function createArchiverMetrics(metrics: Metrics) {
  return {
    archived: metrics.counter(
      "bidding_archived_total",
      "Events in committed batches, by what became of them.",
      ["result"],
    ),
    refused: metrics.counter(
      "bidding_archive_refused_total",
      "Events that can never be archived. Their entries stay in the outbox.",
    ),
    failures: metrics.counter("bidding_archive_failures_total", "Failures survived, by what failed.", [
      "what",
    ]),
    batch: metrics.histogram("bidding_archive_batch_events", "Events in a committed batch.", {
      buckets: [1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000],
    }),
    seconds: metrics.histogram("bidding_archive_write_seconds", "Time of a batch's transaction.", {
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
    active: metrics.gauge("bidding_archiver_active", "1 for the one archiver that archives."),
    held: metrics.gauge("bidding_archiver_held", "Events delivered and not yet archived."),
  };
}
