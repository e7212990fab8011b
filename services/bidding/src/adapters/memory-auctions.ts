/** The in-memory twin of auctions, for tests. It decides by the same rules, and its clock can be set. */

import { DependencyUnavailable } from "@parallax/service";
import type { Auction, AuctionState, Bid, BidOutcome, Standing } from "../domain/auction.ts";
import { decideBid, type KnownAnswer, MOST_ANSWERS } from "../domain/decide-bid.ts";
import type { AuctionEvent } from "../domain/events.ts";
import {
  type AuctionPage,
  type Auctions,
  type Closing,
  type Creation,
  type NewAuction,
  OutcomeUnknown,
} from "../domain/ports.ts";

interface Entry extends Auction {
  standing: Standing;
  endedAt: number | null;
  readonly answers: Map<string, KnownAnswer>;
}

export class MemoryAuctions implements Auctions {
  readonly #entries = new Map<string, Entry>();
  readonly #mostUnarchived: number;
  readonly #mostAnswers: number;
  /** Events that nobody has archived; a test takes them out. */
  readonly outbox: AuctionEvent[] = [];
  /** Added to the time of day, in milliseconds. */
  clockAheadMs = 0;
  /** "out": every call fails without effect; "lost": with effect, but nobody is told. */
  broken: "out" | "lost" | undefined;

  constructor(options: { readonly mostUnarchived?: number; readonly mostAnswers?: number } = {}) {
    this.#mostUnarchived = options.mostUnarchived ?? 100_000;
    this.#mostAnswers = options.mostAnswers ?? MOST_ANSWERS;
  }

  async create(auction: NewAuction): Promise<Creation> {
    return this.#withEffect(() => {
      const now = this.#now();
      if (now >= auction.endsAt) return { kind: "past", now };
      const unarchived = this.outbox.length;
      if (unarchived >= this.#mostUnarchived) return { kind: "busy", unarchived };
      const created = { ...auction, createdAt: now };
      const standing = { seq: 0, highest: null };
      this.#entries.set(auction.auctionId, { ...created, standing, endedAt: null, answers: new Map() });
      this.#append({
        type: "opened",
        auction_id: auction.auctionId,
        at: now,
        item: auction.item,
        starting_price: auction.startingPrice,
        min_increment: auction.minIncrement,
        ends_at: auction.endsAt,
      });
      return { kind: "created", auction: created };
    });
  }

  async bid(bid: Bid, keep: boolean): Promise<BidOutcome> {
    return this.#withEffect(() => {
      const { auctionId, bidId, bidderId, amount } = bid;
      const entry = this.#entries.get(auctionId);
      const now = this.#now();
      const { outcome, remember } = decideBid(bid, keep, {
        auction: entry && { ...entry, ...entry.standing },
        known: entry?.answers.get(bidId),
        now,
        unarchived: this.outbox.length,
        mostUnarchived: this.#mostUnarchived,
        answers: entry?.answers.size ?? 0,
        mostAnswers: this.#mostAnswers,
      });
      if (!entry || !remember) return outcome;
      entry.answers.set(bidId, { bidderId, amount, outcome });
      if (outcome.kind === "accepted") {
        const { seq } = outcome;
        entry.standing = { seq, highest: { amount, bidId, bidderId } };
        this.#append({
          type: "bid",
          auction_id: auctionId,
          at: now,
          seq,
          bid_id: bidId,
          bidder_id: bidderId,
          amount,
        });
      }
      return outcome;
    });
  }

  async find(auctionId: string): Promise<AuctionState | undefined> {
    this.#requireUp();
    const entry = this.#entries.get(auctionId);
    return entry && this.#stateOf(entry);
  }

  async page(limit: number, before?: string): Promise<AuctionPage> {
    this.#requireUp();
    const ids = [...this.#entries.keys()].filter((id) => before === undefined || id < before);
    const entries = ids
      .sort()
      .reverse()
      .slice(0, limit)
      .flatMap((id) => this.#entries.get(id) ?? []);
    const auctions = entries.map((entry) => this.#stateOf(entry));
    return { auctions, next: auctions.length === limit ? auctions.at(-1)?.auctionId : undefined };
  }

  async close(auctionId: string): Promise<Closing> {
    return this.#withEffect(() => {
      const entry = this.#entries.get(auctionId);
      if (!entry) return { kind: "unknown" };
      if (entry.endedAt !== null) return { kind: "already" };
      const at = this.#now();
      if (at < entry.endsAt) return { kind: "early", leftMs: entry.endsAt - at };
      entry.endedAt = at;
      const { seq, highest } = entry.standing;
      this.#append({
        type: "ended",
        auction_id: auctionId,
        at,
        seq,
        bid_id: highest?.bidId ?? null,
        bidder_id: highest?.bidderId ?? null,
        amount: highest?.amount ?? null,
      });
      return { kind: "announced", at };
    });
  }

  async due(limit: number): Promise<readonly string[]> {
    this.#requireUp();
    const now = this.#now();
    return [...this.#entries.values()]
      .filter(({ endedAt, endsAt }) => endedAt === null && endsAt <= now)
      .sort((a, b) => a.endsAt - b.endsAt)
      .slice(0, limit)
      .map(({ auctionId }) => auctionId);
  }

  async check(): Promise<void> {
    this.#requireUp();
  }

  /** How many answers of an auction are kept. */
  answers(auctionId: string): number {
    return this.#entries.get(auctionId)?.answers.size ?? 0;
  }

  /** As when it is gone some time after its end. */
  forget(auctionId: string): void {
    this.#entries.delete(auctionId);
  }

  #withEffect<T>(work: () => T): T {
    if (this.broken === "out") this.#requireUp();
    const result = work();
    if (this.broken === "lost") throw new OutcomeUnknown("The in-memory auctions tell nobody");
    return result;
  }

  #requireUp(): void {
    if (this.broken)
      throw new DependencyUnavailable("The in-memory auctions are out", { retryAfterSeconds: 1 });
  }

  #append(event: Unnumbered): void {
    this.outbox.push({ ...event, outbox_id: `${event.at}-${this.outbox.length}` });
  }

  #now(): number {
    return Date.now() + this.clockAheadMs;
  }

  #stateOf({ standing, endedAt, answers: _, ...auction }: Entry): AuctionState {
    const ended = endedAt !== null || this.#now() >= auction.endsAt;
    return { ...auction, ...standing, status: ended ? "ended" : "open" };
  }
}

/** An event before it is in the outbox. */
type Unnumbered = AuctionEvent extends infer E
  ? E extends AuctionEvent
    ? Omit<E, "outbox_id">
    : never
  : never;
