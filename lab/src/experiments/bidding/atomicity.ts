/**
 * Bidding, atomicity: the bid as one Lua script beside the bid as WATCH, read, MULTI and EXEC, under the same load. Both lose no update; the script
 * never has to try again, where WATCH fails as often as another bid came in between. The reason why a bid is a script.
 */

import type { Beside } from "../beside.ts";
import type { Experiment, ParameterValues } from "../experiment.ts";
import type { RunFigures } from "../figures.ts";
import { bidLoad } from "./bid-load.ts";
import { biddingTarget } from "./bidding-api.ts";
import { forGateways, lacksGateways, needsBidding } from "./needs.ts";
import { biddingSamples, expectedOfBids, observeBidding } from "./observe-bidding.ts";

const titleOf = ({ watch = 0 }: ParameterValues) => (watch === 1 ? "WATCH, MULTI, EXEC" : "one script");

export const atomicity: Experiment = {
  system: "bidding",
  name: "atomicity",
  summary:
    "20 users bid on one item for 15 s, by one script and by WATCH and MULTI: what does each get done?",
  script: "bidding/bid.ts",
  parameters: {
    // With a hundred, hardly 10 % are accepted by WATCH; with less than that the verdict is undecided.
    users: { value: 20, meaning: "bidders", least: 1, most: 20_000, whole: true },
    seconds: { value: 15, meaning: "seconds of load", least: 1, most: 600 },
    timeout: { value: 60, meaning: "seconds after which a bidder hangs up", least: 0.5, most: 300 },
    watch: {
      value: 0,
      meaning: "0: a bid is one script, 1: it is WATCH, MULTI and EXEC",
      least: 0,
      most: 1,
      whole: true,
    },
  },
  rows: [0, 1].map((watch) => ({ name: titleOf({ watch }), parameters: { watch } })),
  target: biddingTarget,
  expectedStatuses: expectedOfBids,
  assertUsable: needsBidding,
  partsLacking: lacksGateways,
  load: ({ users = 1, seconds = 1, timeout = 1 }) => bidLoad({ users, seconds, timeoutSeconds: timeout }),
  services: ({ watch = 0 }) => forGateways({ BID_METHOD: watch === 1 ? "watch" : "script" }),
  settleSeconds: 90,
  samples: biddingSamples,
  primaryMetric: () => "answered_rate",
  beside,
  readings,
  observe: observeBidding,
};

function beside({ steps, findings = {} }: RunFigures, values: ParameterValues): Beside[] {
  const load = steps.find(({ step }) => step.name === "load");
  const line = (what: string, unit: string, measured: number | undefined): Beside => ({
    of: titleOf(values),
    what,
    unit,
    measured: measured ?? null,
    published: null,
  });
  return [
    line("answers", "/s", load?.answered_rate),
    line("accepted", "/s", findings.accepted_per_s),
    line("accepted", "%", findings.accepted_percent),
    line("median", "ms", load?.latency_ms?.p50),
    line("99th percentile", "ms", load?.latency_ms?.p99),
    line("answered 503", "", findings.busy_answers),
    line("sent again", "", findings.repeated_answers),
    line("lost updates", "", findings.lost_updates),
  ];
}

function readings({ findings = {} }: RunFigures, values: ParameterValues): string[] {
  const { busy_answers = 0, bids = 0, lost_updates } = findings;
  const lost =
    lost_updates === 0 ? "none was lost" : `${lost_updates ?? "an unknown number"} of the updates were LOST`;
  if (values.watch !== 1) return [`Each bid took effect in one step: ${lost}.`];
  return [
    `With WATCH a bid fails when another one came between reading and writing, and is tried again: ${lost}. ` +
      `${busy_answers.toLocaleString("en")} of ${bids.toLocaleString("en")} bids' answers were 503, since they had been tried as often as they may be.`,
  ];
}
