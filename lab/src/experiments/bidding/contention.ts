/**
 * Bidding, contention: everybody bids on one item, and nobody waits between an answer and the next bid. The published study's own
 * experiment, a closed loop: what the system slows down, its users do not send. Bidders come a thousand a second, so that the
 * connections of ten thousand can be made, and then bid for the time that is set.
 */

import type { Experiment } from "../experiment.ts";
import { bidLoad } from "./bid-load.ts";
import { biddingTarget } from "./bidding-api.ts";
import { contentionTable, readContention } from "./contention-table.ts";
import { lacksGateways, needsBidding } from "./needs.ts";
import { biddingSamples, expectedOfBids, observeBidding } from "./observe-bidding.ts";

const row = (users: number) => ({ name: `${users.toLocaleString("en")} users`, parameters: { users } });

export const contention: Experiment = {
  system: "bidding",
  name: "contention",
  summary: "100 to 10,000 users bid on one item without a pause for 30 s: how fast, and is any update lost?",
  script: "bidding/bid.ts",
  parameters: {
    users: { value: 1000, meaning: "bidders", least: 1, most: 20_000, whole: true },
    seconds: { value: 30, meaning: "seconds after the last of them has come", least: 1, most: 600 },
    spawn: { value: 1000, meaning: "bidders that come a second", least: 1, most: 20_000 },
    timeout: { value: 60, meaning: "seconds after which a bidder hangs up", least: 0.5, most: 300 },
  },
  rows: [row(100), row(500), row(1000), row(2000), row(10_000)],
  target: biddingTarget,
  expectedStatuses: expectedOfBids,
  assertUsable: needsBidding,
  partsLacking: lacksGateways,
  load: ({ users = 1, seconds = 1, spawn = 1, timeout = 1 }) =>
    bidLoad({
      users,
      seconds: users / spawn + seconds,
      timeoutSeconds: timeout,
      spawnPerSecond: spawn,
    }),
  services: () => ({}),
  settleSeconds: 120,
  samples: biddingSamples,
  primaryMetric: () => "answered_rate",
  beside: contentionTable,
  readings: readContention,
  observe: observeBidding,
};
