/** Bidding, smoke: does an auction work under a little load? */

import type { Experiment } from "../experiment.ts";
import { biddingTarget } from "./bidding-api.ts";
import { lacksGateways, needsBidding } from "./needs.ts";
import { biddingSamples, expectedOfBids, observeBidding } from "./observe-bidding.ts";

export const smoke: Experiment = {
  system: "bidding",
  name: "smoke",
  summary: "50 bids a second on one item for 10 s: is every accepted bid archived, and seen by who watches?",
  script: "bidding/bid.ts",
  parameters: {
    rate: { value: 50, meaning: "bids a second", least: 1, most: 2000, whole: true },
    seconds: { value: 10, meaning: "seconds of load", least: 2, most: 3600 },
  },
  target: biddingTarget,
  expectedStatuses: expectedOfBids,
  assertUsable: needsBidding,
  partsLacking: lacksGateways,
  load: ({ rate = 0, seconds = 0 }) => [
    { name: "warm-up", kind: "warm-up", arrivals: { model: "open", rate }, seconds: 2 },
    { name: "load", kind: "measured", arrivals: { model: "open", rate }, seconds },
  ],
  services: () => ({}),
  settleSeconds: 60,
  samples: biddingSamples,
  observe: observeBidding,
};
