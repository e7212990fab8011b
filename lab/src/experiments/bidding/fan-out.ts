/**
 * Bidding, fan-out: many watch one auction while bids come at a steady rate, and one of them stops reading. How old is a price when it is
 * seen, and does the one delay the others? The load is open: bids come whether or not prices are delivered.
 */

import type { Runtime } from "../../runtimes/runtime.ts";
import type { Beside } from "../beside.ts";
import type { Experiment, FinishedLoad, Observed, ObservedPlan, ParameterValues } from "../experiment.ts";
import type { RunFigures } from "../figures.ts";
import { biddingTarget } from "./bidding-api.ts";
import { Crowd, type Delivered } from "./crowd/crowd.ts";
import { lacksGateways, needsBidding } from "./needs.ts";
import { biddingSamples, expectedOfBids, type OpenAudience, openBidding } from "./observe-bidding.ts";

const titleOf = ({ stalled = 0 }: ParameterValues) =>
  stalled === 0 ? "all read" : stalled === 1 ? "one stalls" : `${stalled} stall`;

export const fanOut: Experiment = {
  system: "bidding",
  name: "fan-out",
  summary: "1,000 watch an auction while 100 bids a second come: how old is a price when it is seen?",
  script: "bidding/bid.ts",
  parameters: {
    watchers: { value: 1000, meaning: "watchers that read", least: 1, most: 10_000, whole: true },
    stalled: { value: 0, meaning: "watchers more, which stop reading", least: 0, most: 100, whole: true },
    rate: { value: 100, meaning: "bids a second", least: 1, most: 5000, whole: true },
    seconds: { value: 30, meaning: "seconds of load", least: 3, most: 600 },
    hz: {
      value: 20,
      meaning: "prices a second at most (BROADCAST_HZ), 0 for each at once",
      least: 0,
      most: 1000,
      whole: true,
    },
    ping_seconds: {
      value: 5,
      meaning: "seconds between two pings; who answered none by the second is cut off",
      least: 1,
      most: 3600,
      whole: true,
    },
  },
  rows: [0, 1].map((stalled) => ({ name: titleOf({ stalled }), parameters: { stalled } })),
  target: biddingTarget,
  expectedStatuses: expectedOfBids,
  assertUsable: needsBidding,
  partsLacking: lacksGateways,
  load: ({ rate = 1, seconds = 1 }) => [
    { name: "warm-up", kind: "warm-up", arrivals: { model: "open", rate }, seconds: 3 },
    { name: "load", kind: "measured", arrivals: { model: "open", rate }, seconds },
  ],
  services: ({ hz = 0, ping_seconds = 1 }) => ({
    "bidding-broadcaster": { BROADCAST_HZ: String(hz), PING_SECONDS: String(ping_seconds) },
  }),
  settleSeconds: 60,
  samples: biddingSamples,
  primaryMetric: () => "delivery_p99_ms",
  beside,
  readings,
  observe,
};

async function observe(runtime: Runtime, plan: ObservedPlan): Promise<Observed> {
  const { watchers = 1, stalled = 0 } = plan.parameters;
  let delivered: Delivered | undefined;
  const openAudience: OpenAudience = async (api, auctionId, signal) => {
    const crowd = await Crowd.gather({ url: api.liveUrl, auctionId, watchers, stalled }, signal);
    return {
      now: () => crowd.now(),
      async seen(run) {
        delivered = await crowd.report(...measuredTime(run));
        return delivered.seen;
      },
      [Symbol.asyncDispose]: () => crowd[Symbol.asyncDispose](),
    };
  };
  const base = await openBidding(runtime, plan, openAudience);
  return {
    ...base,
    async findings(run) {
      return {
        ...(await base.findings?.(run)),
        ...(delivered && deliveryFindings(delivered, run, watchers)),
      };
    },
  };
}

/** Milliseconds since the epoch. */
function measuredTime({ steps, loadBegan }: FinishedLoad): [from: number, to: number] {
  const measured = steps.filter(({ kind }) => kind === "measured");
  const from = Math.min(...measured.map(({ begins }) => begins));
  const to = Math.max(...measured.map(({ begins, seconds }) => begins + seconds));
  return [loadBegan + from * 1000, loadBegan + to * 1000];
}

/** Only whole seconds of the clock are counted, of which there are one or two fewer than the load has. */
function deliveryFindings(
  { prices, latency, cutOffMs, seen }: Delivered,
  run: FinishedLoad,
  watchers: number,
): Record<string, number> {
  const [from, to] = measuredTime(run);
  const seconds = Math.floor(to / 1000) - Math.ceil(from / 1000);
  const [cutOff] = cutOffMs;
  return {
    ...(latency && {
      delivery_p50_ms: latency.p50,
      delivery_p95_ms: latency.p95,
      delivery_p99_ms: latency.p99,
      delivery_mean_ms: latency.mean,
      delivery_max_ms: latency.max,
    }),
    prices_per_s: seconds > 0 ? prices / seconds : 0,
    prices_per_watcher_s: seconds > 0 ? prices / seconds / watchers : 0,
    prices_shown: seen.prices.size,
    stalled_cut_off: cutOffMs.length,
    ...(cutOff !== undefined && { stalled_cut_off_s: cutOff / 1000 }),
  };
}

function beside({ parts, findings = {} }: RunFigures, values: ParameterValues): Beside[] {
  const line = (what: string, unit: string, measured: number | null | undefined): Beside => ({
    of: titleOf(values),
    what,
    unit,
    measured: measured ?? null,
    published: null,
  });
  return [
    line("a price's way, median", "ms", findings.delivery_p50_ms),
    line("a price's way, 99th percentile", "ms", findings.delivery_p99_ms),
    line("prices delivered", "/s", findings.prices_per_s),
    line("prices, to each watcher", "/s", findings.prices_per_watcher_s),
    line("bids accepted", "/s", findings.accepted_per_s),
    line("broadcaster's memory", "MB", parts["bidding-broadcaster"]?.memory_mb_max),
    ...((values.stalled ?? 0) > 0 ? [line("cut off after", "s", findings.stalled_cut_off_s)] : []),
  ];
}

function readings({ findings = {} }: RunFigures, values: ParameterValues): string[] {
  const { prices_per_watcher_s = 0, accepted_per_s = 0, stalled_cut_off = 0, stalled_cut_off_s } = findings;
  const { stalled = 0, hz = 0, ping_seconds = 0 } = values;
  const told = [
    hz > 0
      ? `${accepted_per_s.toFixed(0)} bids a second were accepted, and each watcher was shown ${prices_per_watcher_s.toFixed(1)} prices a second: at most ${hz}, always the latest.`
      : `${accepted_per_s.toFixed(0)} bids a second were accepted, and each watcher was shown ${prices_per_watcher_s.toFixed(1)} prices a second: every one.`,
  ];
  if (stalled > 0)
    told.push(
      stalled_cut_off_s === undefined
        ? "Those who stalled were not cut off within the run."
        : `${stalled_cut_off} of ${stalled} who stalled were cut off, the first after ${stalled_cut_off_s.toFixed(1)} s: who answers no ping is, at the second (${ping_seconds} s apart).`,
    );
  return told;
}
