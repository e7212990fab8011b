/**
 * Bidders on one auction, as clients that do not give up: a bid without a definite answer is sent again, the same one under the
 * same id, after a pause, to each gateway in turn. Every attempt and its answer is kept for the verdict.
 *
 * - **definite**: 201, 409, 410, 404, 422: what became of the bid is known.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Call } from "@parallax/linearizability";
import { Pool } from "undici";
import type { BidAttempt, BidTold } from "../../../../lab/src/verdicts/bidding-history.ts";
import { SentBids } from "../../../../lab/src/verdicts/bidding-sent.ts";

export type BidAttempted = Call<BidAttempt>;

export interface BidToSend {
  readonly bid_id: string;
  readonly bidder_id: string;
  readonly amount: number;
}

export interface BidReply extends Moment {
  /** 0: none. */
  readonly status: number;
  /** The answer's JSON; empty without one. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly retryAfter: string | undefined;
  readonly ms: number;
}

/** Milliseconds since the epoch. */
interface Moment {
  readonly sentAt: number;
  readonly answeredAt: number;
}

export interface Storm {
  /** No new bids; resolves once each bid has its definite answer. */
  stop(): Promise<void>;
  /** Resolves once every bidder was told that the auction is over. */
  readonly over: Promise<void>;
}

/** Longer than a gateway waits for Redis. */
const ANSWER_MS = 6000;
const INSIST_MS = 60_000;
/** Between two attempts at the same bid. */
const RETRY_MS = { least: 50, most: 400 };
/** Between two bids of one bidder: it looks, and thinks. */
const THINK_MS = 8;
/** How far above the least it bids; so that of those who bid at once more than one may be in time. */
const MOST_RAISE = 1000;

const DEFINITE = new Set([201, 404, 409, 410, 422]);

export class Bidders implements AsyncDisposable {
  readonly sent = new SentBids();
  /** Every attempt, for a search; by a clock that is never set. */
  readonly attempts: BidAttempted[] = [];
  /** Attempts, by the status of their answers. */
  readonly statuses = new Map<number, number>();
  readonly #auctionId: string;
  readonly #pools = new Map<string, Pool>();
  #urls: readonly string[];
  #highest: number;
  /** Answers 201. */
  accepted = 0;
  /** The latest to be sent of those that were answered 201; the first answer 410. */
  last201: Moment | undefined;
  first410: Moment | undefined;

  constructor(auctionId: string, startingPrice: number, urls: readonly string[]) {
    this.#auctionId = auctionId;
    this.#highest = startingPrice;
    this.#urls = urls;
  }

  /** Attempts without a definite answer. */
  get unanswered(): number {
    return [...this.statuses].reduce((sum, [status, count]) => sum + (DEFINITE.has(status) ? 0 : count), 0);
  }

  /** From now on these gateways are bid at. */
  bidAt(...urls: readonly string[]): void {
    this.#urls = urls;
  }

  /** A bid that is likely to be accepted, as far as is known here. */
  aBid(bidder = "bidder"): BidToSend {
    const amount = this.#highest + 1 + Math.floor(Math.random() * MOST_RAISE);
    return { bid_id: randomUUID(), bidder_id: bidder, amount };
  }

  /**
   * Bids one after the other, each until its definite answer: nearly all are accepted. Of those that come at once the highest may be
   * first, and too few be accepted to judge by.
   */
  async bidInTurn(bids: number, gateway = 0): Promise<void> {
    for (let bid = 0; bid < bids; bid += 1) await this.insist(this.aBid(), gateway);
  }

  /** One attempt, at the gateway with this number. */
  async attempt(bid: BidToSend, gateway = 0): Promise<BidReply> {
    const began = performance.now();
    const sentAt = Date.now();
    const { status, body, retryAfter } = await this.#send(bid, gateway);
    const answeredAt = Date.now();
    const ms = performance.now() - began;
    const { seq, highest, bid_id, amount } = body as {
      seq?: number;
      highest?: number | null;
      bid_id?: string;
      amount?: number;
    };
    const answer = DEFINITE.has(status) ? ({ status, seq, highest } as BidTold) : undefined;
    this.attempts.push({
      operation: { op: "bid", ...bid, ...(answer && { answer }) },
      began,
      ...(answer && { ended: began + ms }),
    });
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status === 201) {
      this.accepted += 1;
      this.#highest = Math.max(this.#highest, bid.amount);
    }
    const moment = { sentAt, answeredAt };
    if (status === 201 && !(this.last201 && this.last201.sentAt >= sentAt)) this.last201 = moment;
    if (status === 410) this.first410 ??= moment;
    if (status === 409 && typeof highest === "number") this.#highest = Math.max(this.#highest, highest);
    this.sent.add({
      at: sentAt,
      wall_ms: answeredAt - sentAt,
      ms,
      status,
      id: bid.bid_id,
      amount: bid.amount,
      bidder: bid.bidder_id,
      seq,
      highest,
      ...(status === 201 && { answered_id: bid_id, answered_amount: amount }),
    });
    return { status, body: body, retryAfter, ms, sentAt, answeredAt };
  }

  /** @returns the definite answer, and how often it was asked for */
  async insist(bid: BidToSend, first = 0): Promise<BidReply & { readonly attempts: number }> {
    const until = performance.now() + INSIST_MS;
    for (let attempts = 1; ; attempts += 1) {
      const reply = await this.attempt(bid, first + attempts - 1);
      if (DEFINITE.has(reply.status)) return { ...reply, attempts };
      if (performance.now() > until)
        throw new Error(`No answer to a bid in ${INSIST_MS} ms: ${reply.status}`);
      await pause(
        Math.min(RETRY_MS.most, RETRY_MS.least * 2 ** Math.min(attempts, 8)) * (0.5 + Math.random() / 2),
      );
    }
  }

  /** So many bidders at once until they are stopped, or one of them is told that the auction is over. */
  storm(bidders: number): Storm {
    let stopped = false;
    const bidder = async (_: unknown, number: number) => {
      while (!stopped) {
        const { status } = await this.insist(this.aBid(`bidder-${number}`), number);
        if (status === 410) return;
        await pause(THINK_MS);
      }
    };
    const over = Promise.all(Array.from({ length: bidders }, bidder)).then(() => {});
    // Whoever stops it is told of it; until then it is nobody's.
    over.catch(() => {});
    return {
      over,
      async stop() {
        stopped = true;
        await over;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  async #send(bid: BidToSend, gateway: number) {
    const url = this.#urls[gateway % this.#urls.length] as string;
    try {
      const answer = await this.#pool(url).request({
        method: "POST",
        path: `/auctions/${this.#auctionId}/bids`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(bid),
      });
      const body = JSON.parse(await answer.body.text()) as Record<string, unknown>;
      return { status: answer.statusCode, body, retryAfter: answer.headers["retry-after"]?.toString() };
    } catch {
      return { status: 0, body: {}, retryAfter: undefined };
    }
  }

  #pool(url: string): Pool {
    let pool = this.#pools.get(url);
    if (!pool) {
      pool = new Pool(url, {
        connections: 64,
        headersTimeout: ANSWER_MS,
        bodyTimeout: ANSWER_MS,
        connectTimeout: 2000,
      });
      this.#pools.set(url, pool);
    }
    return pool;
  }
}
