/**
 * Bids without a script, for comparison (BID_METHOD=watch): WATCH the auction, read, decide here by the same rules, write by MULTI and
 * EXEC, and begin again where somebody else was faster. Everything else is as in adapters/redis-auctions.ts.
 *
 * A WATCH belongs to a connection, so each bid has one for itself while it is decided; bids wait for one, and for their turn, no
 * longer than a bound. Between decision and effect time passes: a bid may still take effect in the moment after its auction's end, but
 * never once the end has been told.
 */

import { type Logger, type Metrics, Overloaded } from "@parallax/service";
import type { Redis } from "ioredis";
import type { Bid, BidOutcome } from "../domain/auction.ts";
import { type BidDecision, decideBid, type KnownAnswer, MOST_ANSWERS } from "../domain/decide-bid.ts";
import { fieldsOf } from "../domain/outbox.ts";
import type { Auctions } from "../domain/ports.ts";
import { millis, readFields } from "./auction-fields.ts";
import { answersKey, auctionKey, outboxKey } from "./keys.ts";
import { readAuction, readOutcome } from "./redis-auctions.ts";
import { asOutage, connectRedis, repeatable } from "./redis-connection.ts";

export interface WatchBidsOptions {
  readonly url: string;
  /** Connections, which is bids that are decided at the same time. */
  readonly connections: number;
  readonly mostUnarchived: number;
  /** Answers of one auction, beyond which those of refused bids are not kept; bids that are decided at the same time may each add one. */
  readonly mostAnswers?: number;
  /** How long a bid may take, its waiting included; 3 s unless told. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 3000;

export class WatchBids implements Disposable {
  readonly #options: WatchBidsOptions;
  readonly #all: readonly Redis[];
  readonly #free: Redis[];
  /** Those who wait for a connection, in the order in which they came. */
  readonly #line: ((redis: Redis) => void)[] = [];
  readonly #retries: { inc(): void };

  constructor(options: WatchBidsOptions, logger: Logger, metrics: Metrics) {
    this.#options = options;
    this.#all = Array.from({ length: options.connections }, (_, at) =>
      connectRedis({ url: options.url, name: `gateway-watch-${at + 1}` }, logger),
    );
    this.#free = [...this.#all];
    this.#retries = metrics.counter(
      "bidding_watch_retries_total",
      "Decisions that were made again because another bid was faster.",
    );
  }

  /** `auctions`, but for bids. */
  instead(auctions: Auctions): Auctions {
    return { ...auctions, bid: (bid, keep) => this.bid(bid, keep) };
  }

  /** See `Auctions.bid`. */
  async bid(bid: Bid, keep: boolean): Promise<BidOutcome> {
    const until = performance.now() + (this.#options.patienceMs ?? PATIENCE_MS);
    const redis = await this.#connection(until);
    try {
      for (;;) {
        const outcome = await this.#attempt(redis, bid, keep);
        if (outcome) return outcome;
        this.#retries.inc();
        if (performance.now() > until) throw tooMany();
      }
    } finally {
      const next = this.#line.shift();
      if (next) next(redis);
      else this.#free.push(redis);
    }
  }

  [Symbol.dispose](): void {
    for (const redis of this.#all) redis.disconnect();
  }

  /** @returns undefined where somebody else was faster, and it had no effect */
  async #attempt(redis: Redis, bid: Bid, keep: boolean): Promise<BidOutcome | undefined> {
    const { now, decision } = await repeatable(redis, () => this.#decide(redis, bid, keep));
    if (decision.remember) return await writeDown(redis, bid, decision.outcome, now);
    // Whatever comes next on this connection comes after it.
    redis.unwatch().catch(() => {});
    return decision.outcome;
  }

  async #decide(redis: Redis, bid: Bid, keep: boolean): Promise<{ now: number; decision: BidDecision }> {
    const { auctionId, bidId } = bid;
    // One round trip: Redis answers a connection's commands in their order.
    const [, fields, answer, answers, time, unarchived] = await Promise.all([
      redis.watch(auctionKey(auctionId)),
      readAuction(redis, auctionId),
      redis.hget(answersKey(auctionId), bidId),
      redis.hlen(answersKey(auctionId)),
      redis.time(),
      redis.xlen(outboxKey),
    ]);
    const now = millis(time);
    const decision = decideBid(bid, keep, {
      auction: readFields(auctionId, fields),
      known: answer === null ? undefined : readKnown(answer),
      now,
      unarchived,
      mostUnarchived: this.#options.mostUnarchived,
      answers,
      mostAnswers: this.#options.mostAnswers ?? MOST_ANSWERS,
    });
    return { now, decision };
  }

  async #connection(until: number): Promise<Redis> {
    const free = this.#free.pop();
    if (free) return free;
    const { promise, resolve, reject } = Promise.withResolvers<Redis>();
    this.#line.push(resolve);
    const timer = setTimeout(() => {
      this.#line.splice(this.#line.indexOf(resolve), 1);
      reject(tooMany());
    }, until - performance.now());
    return await promise.finally(() => clearTimeout(timer));
  }
}

/** @returns undefined where the auction has changed since it was read, or this bid has been answered */
async function writeDown(
  redis: Redis,
  bid: Bid,
  outcome: BidOutcome,
  at: number,
): Promise<BidOutcome | undefined> {
  const { auctionId, bidId, bidderId, amount } = bid;
  const multi = redis.multi();
  if (outcome.kind === "accepted") {
    const { seq } = outcome;
    const event = {
      type: "bid",
      auction_id: auctionId,
      at,
      seq,
      bid_id: bidId,
      bidder_id: bidderId,
      amount,
    } as const;
    multi
      .hset(auctionKey(auctionId), { seq, amount, bid_id: bidId, bidder_id: bidderId })
      .hset(answersKey(auctionId), bidId, writeKnown(bid, outcome))
      .xadd(outboxKey, "*", ...Object.entries(fieldsOf({ ...event, outbox_id: "" })).flat());
  } else {
    // Refusals do not change what is watched, so the same bid may have been refused twice: the first answer stays.
    multi.hsetnx(answersKey(auctionId), bidId, writeKnown(bid, outcome));
  }
  const results = await multi.exec().catch((error: unknown) => {
    throw asOutage(error);
  });
  if (results === null) return undefined;
  for (const [error] of results) if (error) throw asOutage(error);
  return outcome.kind === "accepted" || results[0]?.[1] === 1 ? outcome : undefined;
}

/** Answers are kept as bid.lua keeps them, so that either method knows the other's. */
function readKnown(answer: string): KnownAnswer {
  const [line = "", amount = "", ...bidder] = answer.split(" ");
  return { outcome: readOutcome(line.split(",")), amount: Number(amount), bidderId: bidder.join(" ") };
}

function writeKnown({ amount, bidderId }: Bid, outcome: BidOutcome): string {
  return `${lineOf(outcome)} ${amount} ${bidderId}`;
}

function lineOf(outcome: BidOutcome): string {
  switch (outcome.kind) {
    case "accepted":
      return `accepted,${outcome.seq},${outcome.amount}`;
    case "refused":
      return `refused,${outcome.seq},${outcome.highest ?? ""},${outcome.least}`;
    case "ended":
      return `ended,${outcome.endsAt}`;
    default:
      throw new Error(`The answer "${outcome.kind}" is never kept`);
  }
}

function tooMany(): Error {
  return new Overloaded("Too many bid at the same time; this one had no effect.", { retryAfterSeconds: 1 });
}
