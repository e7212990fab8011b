/**
 * An auction as it should be, bid by bid, with everything that is told of it: what clients were answered and when, what the archive has,
 * what Redis says, what live subscribers saw. The same seed gives the same auction.
 */

import { seededRandom } from "../../src/models/seeded-random.ts";
import { type ArchivedBid, ArchivedBids } from "../../src/verdicts/bidding-archive.ts";
import type { BiddingEvidence, FinalAuction, SeenLive } from "../../src/verdicts/bidding-evidence.ts";
import { type BidAnswer, SentBids } from "../../src/verdicts/bidding-sent.ts";

export interface Story {
  answers: Mutable<BidAnswer>[];
  archive: Mutable<ArchivedBid>[];
  auction: Mutable<FinalAuction>;
  live: {
    watchers: Mutable<SeenLive["watchers"][number]>[];
    prices: Map<number, number | null>;
    bidders: Map<number, string | null>;
    disputed: Set<number>;
  };
  requests: number;
  unreadable: number;
  drained: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface SimulationOptions {
  readonly bids?: number;
  /** Share of the bids whose first answer is lost; half of these are sent again. */
  readonly lost?: number;
  /** Bids that come after the end. */
  readonly late?: number;
  readonly startingPrice?: number;
  readonly minIncrement?: number;
}

const BEGAN = 1_763_706_000_000;

export function simulateAuction(seed: number, options: SimulationOptions = {}): Story {
  const { bids = 300, lost = 0.05, late = 5, startingPrice = 100, minIncrement = 10 } = options;
  const random = seededRandom(seed);
  const upTo = (most: number) => Math.floor(random() * most);
  const answers: Mutable<BidAnswer>[] = [];
  const archive: Mutable<ArchivedBid>[] = [];
  const top = {
    seq: 0,
    highest: null as number | null,
    bidder_id: null as string | null,
    bid_id: null as string | null,
  };
  const prices = new Map<number, number | null>([[0, null]]);
  const bidders = new Map<number, string | null>([[0, null]]);
  const show = () => {
    prices.set(top.seq, top.highest);
    bidders.set(top.seq, top.bidder_id);
  };
  for (let at = 0; at < bids + late; at += 1) {
    const id = uuid(random);
    const bidder = `bidder-${upTo(20)}`;
    const least = top.highest === null ? startingPrice : top.highest + minIncrement;
    // Some two of three know the price; the others are behind, or try to pay less.
    const amount = Math.max(1, random() < 0.65 ? least + upTo(50) : least - 1 - upTo(60));
    const effect = BEGAN + at * 3;
    const answer = told(at >= bids, { id, amount }, least, top);
    if (answer.status === 201) {
      Object.assign(top, { seq: top.seq + 1, highest: amount, bidder_id: bidder, bid_id: id });
      archive.push({ seq: top.seq, bid_id: id, bidder_id: bidder, amount });
      if (random() < 0.2) show();
    }
    const sent = (from: number, until: number, answered: Partial<BidAnswer>): Mutable<BidAnswer> => {
      const wall_ms = until - from;
      return { at: from, wall_ms, ms: wall_ms, status: 0, id, amount, bidder, ...answered };
    };
    const [from, until] = [effect - upTo(25), effect + upTo(25)];
    if (random() >= lost) answers.push(sent(from, until, answer));
    else {
      answers.push(sent(from, until, { status: random() < 0.5 ? 0 : 503 }));
      if (random() < 0.5) answers.push(sent(until + 5, until + 30, answer));
    }
    if (random() < 0.05) answers.push(sent(until + 100, until + 110, answer));
  }
  show();
  const watchers = ["watcher-1", "watcher-2"].map((name) => ({
    name,
    connected: true,
    messages: prices.size,
    unreadable: 0,
    seq: top.seq,
    highest: top.highest,
    wentBack: 0,
    ended: late > 0,
  }));
  return {
    answers,
    archive: archive.reverse(),
    auction: {
      starting_price: startingPrice,
      min_increment: minIncrement,
      ends_at: new Date(BEGAN + bids * 3 + (late > 0 ? 0 : 3_600_000)).toISOString(),
      status: late > 0 ? "ended" : "open",
      ...top,
    },
    live: { watchers, prices, bidders, disputed: new Set() },
    requests: answers.length,
    unreadable: 0,
    drained: true,
  };
}

export function evidenceOf(story: Story): BiddingEvidence {
  const sent = new SentBids();
  for (const answer of story.answers) sent.add(answer);
  const archive = new ArchivedBids();
  for (const bid of story.archive) archive.add(bid);
  return { ...story, sent, archive, lines: story.answers.length };
}

export function uuid(random: () => number): string {
  const digits = (count: number) =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join("");
  return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;
}

function told(
  ended: boolean,
  { id, amount }: { readonly id: string; readonly amount: number },
  least: number,
  { seq, highest }: { readonly seq: number; readonly highest: number | null },
): Pick<BidAnswer, "status" | "seq" | "highest" | "answered_id" | "answered_amount"> {
  if (ended) return { status: 410 };
  if (amount < least) return { status: 409, seq, highest };
  return { status: 201, seq: seq + 1, answered_id: id, answered_amount: amount };
}
