/**
 * Watching an auction during a run, and gathering the evidence for its verdict afterwards: what clients were told, what Redis and the
 * archive have in the end, and what live subscribers saw. Everything is asked for as a client asks.
 */

import { LabError } from "../../cli/lab-error.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import { readBidAnswers } from "../../verdicts/bidding-answers.ts";
import { ArchivedBids } from "../../verdicts/bidding-archive.ts";
import { judgeBidding } from "../../verdicts/bidding-conservation.ts";
import type { SeenLive } from "../../verdicts/bidding-evidence.ts";
import type { SentBids } from "../../verdicts/bidding-sent.ts";
import type { Verdict } from "../../verdicts/verdict.ts";
import type { ExpectedStatuses } from "../expected-statuses.ts";
import type { FinishedLoad, Observed, ObservedPlan, Sample } from "../experiment.ts";
import { lengthOf } from "../load-schedule.ts";
import { ArchiveWalk } from "./archive-walk.ts";
import { bidFindings } from "./bid-figures.ts";
import { BiddingApi, type FoundAuction } from "./bidding-api.ts";
import { Watchers } from "./watchers.ts";

/** What is sampled of the run's auction, beside what each part takes. Asked once a second; a busy gateway may answer less often. */
export const biddingSamples = [
  { name: "accepted", meaning: "accepted bids, as the API tells", cumulative: true },
  { name: "accepted_per_s", meaning: "accepted bids a second since the sample before" },
  { name: "archive_lag", meaning: "accepted bids that the archive does not have yet" },
  { name: "live_connected", meaning: "live subscribers that are connected" },
  { name: "live_lag", meaning: "accepted bids that the slowest live subscriber has not been told of" },
] as const satisfies readonly Sample[];

/** To be outbid is an answer. */
export const expectedOfBids: ExpectedStatuses = { bid: [409] };

const NOBODY: SeenLive = { watchers: [], prices: new Map(), bidders: new Map(), disputed: new Set() };

/** Those who watch the auction of a run. */
export interface LiveAudience extends AsyncDisposable {
  now(): {
    readonly connected: number;
    /** Lowest number that one of these was told last; undefined where nobody is connected. */
    readonly slowest: number | undefined;
  };
  seen(run: FinishedLoad): Promise<SeenLive>;
}

export type OpenAudience = (api: BiddingApi, auctionId: string, signal: AbortSignal) => Promise<LiveAudience>;

/** What a run came to, for findings. */
export interface JudgedBids {
  readonly sent: SentBids;
  readonly verdict: Verdict;
}

export interface ObservedBidding extends Observed {
  /** After `judge`. */
  readonly judged: JudgedBids | undefined;
}

const WATCHERS = 3;
/** Of the auction, after the load's planned end: users take time to be made, and the last answers may be late. Redis remembers all its bids. */
const OPEN_MINUTES_AFTER = 5;
/** Of earlier runs, which may not be archived yet. */
const EARLIER_AUCTIONS = 3;

/** For an experiment that needs no more than this. */
export async function observeBidding(runtime: Runtime, plan: ObservedPlan): Promise<Observed> {
  return openBidding(runtime, plan);
}

export async function openBidding(
  runtime: Pick<Runtime, "endpoint">,
  plan: Pick<ObservedPlan, "steps">,
  openAudience: OpenAudience = watchedByFew,
): Promise<ObservedBidding> {
  const api = BiddingApi.of(runtime);
  let auctionId: string | undefined;
  let walk: ArchiveWalk | undefined;
  let audience: LiveAudience | undefined;
  let judged: JudgedBids | undefined;
  const auctionNow = async (): Promise<FoundAuction> => {
    const auction = auctionId === undefined ? undefined : await api.findAuction(auctionId);
    if (auction) return auction;
    throw new LabError("COMMAND_FAILED", "The auction of this run is gone.", {
      reason: `GET /auctions/${auctionId} answers 404.`,
      remedy: "Redis has lost it; see `make logs`.",
    });
  };
  const meter = acceptedMeter();
  const look = latest(async () => {
    const auction = await auctionNow();
    const archived = await api.newestArchived(auction.auction_id);
    const { connected = 0, slowest } = audience?.now() ?? {};
    const row: Partial<Record<(typeof biddingSamples)[number]["name"], number>> = {
      accepted: auction.seq,
      ...meter(auction.seq),
      archive_lag: Math.max(0, auction.seq - archived),
      live_connected: connected,
      ...(slowest !== undefined && { live_lag: Math.max(0, auction.seq - slowest) }),
    };
    return row;
  });

  return {
    get judged() {
      return judged;
    },

    async prepare(signal) {
      const now = Date.now();
      const minutes = lengthOf(plan.steps) / 60 + OPEN_MINUTES_AFTER;
      const auction = await api.createAuction({
        item: `lab run of ${new Date(now).toISOString()}`,
        starting_price: 1,
        min_increment: 1,
        ends_at: new Date(now + minutes * 60_000).toISOString(),
      });
      auctionId = auction.auction_id;
      walk = new ArchiveWalk(api, auctionId);
      audience = await openAudience(api, auctionId, signal);
      return { AUCTION: auctionId, CLOCK_BASE: String(now) };
    },

    sample: look,

    async drained() {
      if (walk === undefined) return areArchived(api);
      const { seq } = await auctionNow();
      const { slowest = seq } = audience?.now() ?? {};
      return slowest >= seq && (await walk.hasAll(seq));
    },

    async judge(run) {
      const { sent, lines, unreadable } = await readBidAnswers(run.answersFile, run.signal);
      const auction = await auctionNow();
      const archive = await ArchivedBids.read(api.archivedBids(auction.auction_id, run.signal));
      const live = (await audience?.seen(run)) ?? NOBODY;
      const { requests, drained } = run;
      const verdict = judgeBidding({ sent, lines, unreadable, requests, auction, archive, drained, live });
      judged = { sent, verdict };
      return verdict;
    },

    async findings(run) {
      return judged ? bidFindings(judged, run) : {};
    },

    async [Symbol.asyncDispose]() {
      await audience?.[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

/** Whether the archive has all of the last auctions. */
async function areArchived(api: BiddingApi): Promise<boolean> {
  for (const { auction_id, seq } of await api.newestAuctions(EARLIER_AUCTIONS)) {
    if ((await api.newestArchived(auction_id)) < seq) return false;
  }
  return true;
}

async function watchedByFew(api: BiddingApi, auctionId: string, signal: AbortSignal): Promise<LiveAudience> {
  const watchers = await Watchers.connect({ url: api.liveUrl, auctionId, count: WATCHERS, signal });
  return {
    now() {
      const connected = watchers.seen().watchers.filter((each) => each.connected);
      const numbers = connected.map(({ seq = 0 }) => seq);
      return {
        connected: connected.length,
        slowest: numbers.length === 0 ? undefined : Math.min(...numbers),
      };
    },
    seen: async () => watchers.seen(),
    [Symbol.asyncDispose]: () => watchers[Symbol.asyncDispose](),
  };
}

/** One question at a time: a gateway with ten thousand bidders answers late, and must not be asked the more for it. */
function latest<T>(ask: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | undefined;
  return () => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

function acceptedMeter(): (seq: number) => { accepted_per_s?: number } {
  let before: { readonly at: number; readonly seq: number } | undefined;
  return (seq) => {
    const now = { at: performance.now(), seq };
    const since = before;
    before = now;
    if (!since || now.at - since.at < 100) return {};
    return { accepted_per_s: Math.round(((seq - since.seq) * 1000) / (now.at - since.at)) };
  };
}
