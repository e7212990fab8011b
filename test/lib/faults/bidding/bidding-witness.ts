/**
 * The witness of a fault in bidding: opens an auction, watches it live, bids as clients that do not give up, and in the end has
 * the check of experiments judge all that clients were told, and a search for an order of it where the history is small. Prints the count.
 */

import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { Watchers } from "../../../../lab/src/experiments/bidding/watchers.ts";
import { ArchivedBids } from "../../../../lab/src/verdicts/bidding-archive.ts";
import { judgeBidding } from "../../../../lab/src/verdicts/bidding-conservation.ts";
import { judgeSmallHistory } from "../../../../lab/src/verdicts/bidding-history.ts";
import type { Invariant, Verdict } from "../../../../lab/src/verdicts/verdict.ts";
import { answersKey } from "../../../../services/bidding/src/adapters/keys.ts";
import { Bidders } from "./bidders.ts";
import type { WiredBidding } from "./wired-bidding.ts";

export interface Count {
  /** Each counted once, however often it was sent. */
  readonly bids: number;
  readonly accepted: number;
  readonly refused: number;
  /** Attempts without a definite answer. */
  readonly unanswered: number;
  readonly archived: number;
  /** Accepted, and Redis does not know them any more. */
  readonly lost: number;
  /** Events that contradict the archive. */
  readonly conflicts: number;
}

export interface WitnessOptions {
  /** Until the auction's end. */
  readonly seconds?: number;
  readonly watchers?: number;
  /** Bid at; the lab's own gateway by default. */
  readonly gateways?: readonly string[];
  /** Where the auction is opened; the first one that is bid at by default. */
  readonly openedAt?: string;
}

const SETTLE_MS = 60_000;
/** Bids, each one call of the search however often it was sent; beyond, it may take too long. */
const SMALL_HISTORY = 120;
const TERMS = { item: "a lamp", starting_price: 10, min_increment: 1 };

export class BiddingWitness implements AsyncDisposable {
  readonly auctionId: string;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
  readonly bidders: Bidders;
  readonly watchers: Watchers;
  /** As the auction was asked for. */
  readonly terms: typeof TERMS & { readonly ends_at: string };
  readonly #lab: WiredBidding;

  /** With an auction of its own; what it holds is let go when `t` ends. */
  static async begin(t: Test, lab: WiredBidding, options: WitnessOptions = {}): Promise<BiddingWitness> {
    const { seconds = 600, watchers = 2, gateways = [lab.gatewayUrl] } = options;
    const terms = { ...TERMS, ends_at: new Date((await lab.redisTime()) + seconds * 1000).toISOString() };
    const auctionId = await open(options.openedAt ?? (gateways[0] as string), terms);
    const bidders = new Bidders(auctionId, terms.starting_price, gateways);
    const watching = await Watchers.connect({
      url: lab.liveUrl,
      auctionId,
      count: watchers,
      signal: AbortSignal.timeout(10_000),
    });
    const witness = new BiddingWitness(lab, auctionId, terms, bidders, watching);
    t.teardown(async () => {
      if (!t.passing()) await lab.heal();
      await witness[Symbol.asyncDispose]();
    });
    return witness;
  }

  private constructor(
    lab: WiredBidding,
    auctionId: string,
    terms: BiddingWitness["terms"],
    bidders: Bidders,
    watchers: Watchers,
  ) {
    this.#lab = lab;
    this.auctionId = auctionId;
    this.terms = terms;
    this.endsAt = Date.parse(terms.ends_at);
    this.bidders = bidders;
    this.watchers = watchers;
  }

  /** Bids of this auction in the archive. */
  async archived(): Promise<number> {
    const rows = await this.#lab.sql<{ bids: number }>(
      "select count(*)::int as bids from bidding.bids where auction_id = $1",
      [this.auctionId],
    );
    return rows[0]?.bids ?? 0;
  }

  async conflicts(): Promise<number> {
    const rows = await this.#lab.sql<{ conflicts: number }>(
      "select count(*)::int as conflicts from bidding.conflicts where auction_id = $1",
      [this.auctionId],
    );
    return rows[0]?.conflicts ?? 0;
  }

  /** What the slowest watcher was told last; 0 before the first. */
  seqOfWatchers(): number {
    return Math.min(...this.watchers.seen().watchers.map(({ seq }) => seq ?? 0));
  }

  /** Waits until nothing waits for the archive and NATS has nothing in hand; resolves to whether it came to that in time. */
  async settled(): Promise<boolean> {
    return await waitFor(
      "all to be archived",
      async () => {
        if ((await this.#lab.unarchived()) > 0) return false;
        const { unsettled, pending } = await this.#lab.stream();
        return unsettled + pending === 0;
      },
      SETTLE_MS,
    ).catch(() => false);
  }

  /** Waits until all is quiet, prints the count, and fails unless nothing was lost, doubled or told wrongly. */
  async holds(t: Test, fault: string): Promise<Count> {
    const { count, verdict, search } = await this.#judge(t, fault);
    t.same(notHeld(verdict), [], `${fault}: nothing is lost, doubled or told wrongly`);
    if (search) t.same(notHeld(search), [], `${fault}: there is an order that explains all answers`);
    t.equal(count.lost + count.conflicts, 0, `${fault}: Redis and the archive know what was acknowledged`);
    return count;
  }

  /** As `holds`, where something is lost: the verdict must say so. */
  async tells(t: Test, fault: string): Promise<Count> {
    const { count, verdict, search } = await this.#judge(t, fault);
    t.equal(verdict.outcome, "broken", `${fault}: the verdict tells the loss`);
    if (search) t.equal(search.outcome, "broken", `${fault}: no order explains all answers`);
    t.match(
      notHeld(verdict).map(({ name }) => name),
      ["accepted-numbers-are-gapless"],
      `${fault}: by two bids with one number`,
    );
    return count;
  }

  async #judge(t: Test, fault: string) {
    const { api } = this.#lab;
    const archived = await this.settled();
    const auction = await waitFor("the auction to be told", () => api.findAuction(this.auctionId), 20_000);
    const drained = archived && (await this.#watchersAreThere(auction.seq));
    const { sent, attempts } = this.bidders;
    const archive = await ArchivedBids.read(api.archivedBids(this.auctionId));
    const verdict = judgeBidding({
      sent,
      lines: attempts.length,
      unreadable: 0,
      auction,
      archive,
      drained,
      live: this.watchers.seen(),
    });
    const count: Count = {
      ...(await this.#count()),
      archived: archive.size,
      conflicts: await this.conflicts(),
    };
    const figures = Object.entries(count).map(([name, value]) => `${name}=${value}`);
    t.comment(`fault: ${fault} runtime=${this.#lab.runtimeName} ${figures.join(" ")}`);
    const search = sent.size <= SMALL_HISTORY ? judgeSmallHistory(this.terms, attempts) : undefined;
    return { count, verdict, search };
  }

  async #watchersAreThere(seq: number): Promise<boolean> {
    return await waitFor("the watchers", () => this.seqOfWatchers() >= seq, 10_000).catch(() => false);
  }

  async #count() {
    const { sent } = this.bidders;
    const rows = Array.from({ length: sent.size }, (_, row) => ({ id: sent.idOf(row), ...sent.at(row) }));
    const accepted = rows.filter(({ told }) => told === "accepted");
    const known = new Set((await this.#lab.redis("HKEYS", answersKey(this.auctionId))) as string[]);
    return {
      bids: rows.length,
      accepted: accepted.length,
      refused: rows.filter(({ told }) => told === "refused").length,
      unanswered: this.bidders.unanswered,
      lost: accepted.filter(({ id }) => !known.has(id)).length,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watchers[Symbol.asyncDispose]();
    await this.bidders[Symbol.asyncDispose]();
  }
}

async function open(url: string, terms: object): Promise<string> {
  const answer = await fetch(`${url}/auctions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(terms),
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.status !== 201)
    throw new Error(`POST /auctions answers ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { auction_id: string }).auction_id;
}

function notHeld({ invariants }: Verdict): readonly Invariant[] {
  return invariants.filter(({ outcome }) => outcome !== "held");
}
