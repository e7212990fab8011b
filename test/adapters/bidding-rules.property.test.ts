/**
 * The bid script on a real Redis beside the rules as a pure function: whatever bids come in whatever order, both say the same, and what
 * was accepted is numbered without a gap and rises.
 */

import { randomUUIDv7 } from "node:crypto";
import { silentLogger, waitFor } from "@parallax/testkit";
import fc from "fast-check";
import { Redis } from "ioredis";
import t from "tap";
import { answersKey, auctionKey, outboxKey } from "../../services/bidding/src/adapters/keys.ts";
import { redisAuctions } from "../../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../../services/bidding/src/adapters/redis-connection.ts";
import { type Bid, type BidOutcome, MOST_AMOUNT } from "../../services/bidding/src/domain/auction.ts";
import { decideBid, type KnownAnswer, leastOf } from "../../services/bidding/src/domain/decide-bid.ts";
import type { NewAuction } from "../../services/bidding/src/domain/ports.ts";
import { redisServer } from "../lib/redis-server.ts";

const MOST_UNARCHIVED = 5;
const MOST_ANSWERS = 6;
/** Where the end is moved to, since Redis's clock is not ours to set. */
const PAST = 1;

const server = await redisServer();
t.teardown(() => server[Symbol.asyncDispose]());
const raw = new Redis(server.url);
const redis = connectRedis({ url: server.url, name: "test" }, silentLogger());
t.teardown(() => {
  raw.disconnect();
  redis.disconnect();
});
await waitFor("the connection", () => redis.status === "ready");
const auctions = redisAuctions(redis, { mostUnarchived: MOST_UNARCHIVED, mostAnswers: MOST_ANSWERS });

/** What the rules say, beside what they know. */
class Model {
  readonly auction: NewAuction & { createdAt: number };
  endsAt: number;
  endedAt: number | null = null;
  seq = 0;
  highest: { amount: number; bidId: string; bidderId: string } | null = null;
  unarchived = 1;
  readonly known = new Map<string, KnownAnswer>();

  constructor(auction: NewAuction) {
    this.auction = { ...auction, createdAt: 0 };
    this.endsAt = auction.endsAt;
  }

  get standing() {
    const { auction, endsAt, endedAt, seq, highest } = this;
    return { ...auction, endsAt, endedAt, seq, highest };
  }

  bid(bid: Bid, keep: boolean): BidOutcome {
    const { outcome, remember } = decideBid(bid, keep, {
      auction: this.standing,
      known: this.known.get(bid.bidId),
      now: Date.now(),
      unarchived: this.unarchived,
      mostUnarchived: MOST_UNARCHIVED,
      answers: this.known.size,
      mostAnswers: MOST_ANSWERS,
    });
    const { bidId, bidderId, amount } = bid;
    if (remember) this.known.set(bidId, { bidderId, amount, outcome });
    if (remember && outcome.kind === "accepted") {
      this.seq = outcome.seq;
      this.highest = { amount, bidId, bidderId };
      this.unarchived += 1;
    }
    return outcome;
  }
}

// Few of each, so that they meet.
const bidder = fc.constantFrom("ann", "bob", "ann 7", "7 ann", "Ω, 9");
const step = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant("bid" as const),
      id: fc.integer({ min: 0, max: 9 }),
      keep: fc.boolean(),
      bidder,
      // Beside the least amount that would be accepted, or anywhere.
      amount: fc.oneof(
        { weight: 20, arbitrary: fc.record({ beside: fc.integer({ min: -2, max: 3 }) }) },
        { weight: 1, arbitrary: fc.record({ at: fc.integer({ min: 1, max: MOST_AMOUNT }) }) },
        { weight: 1, arbitrary: fc.record({ at: fc.constantFrom(1, MOST_AMOUNT - 1, MOST_AMOUNT) }) },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("archive" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const) }) },
);
const edge = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(MOST_AMOUNT - 1, MOST_AMOUNT));

t.test("the script and the rules agree", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      edge,
      edge,
      fc.array(step, { minLength: 1, maxLength: 60, size: "max" }),
      async (startingPrice, minIncrement, steps) => {
        await raw.del(outboxKey);
        const auctionId = randomUUIDv7();
        const endsAt = Date.now() + 3_600_000;
        const auction = { auctionId, item: "A vase", startingPrice, minIncrement, endsAt };
        t.match(await auctions.create(auction), { kind: "created" });
        const model = new Model(auction);
        const accepted: { seq: number; amount: number; bidId: string }[] = [];
        // An id that was made for one bid is never made for another.
        let made = 0;

        for (const each of steps) {
          if (each.do === "archive") {
            await raw.del(outboxKey);
            model.unarchived = 0;
          } else if (each.do === "end") {
            await raw.hset(auctionKey(auctionId), "ends_at", PAST);
            model.endsAt = PAST;
          } else if (each.do === "close") {
            const { kind } = await auctions.close(auctionId);
            const expected =
              model.endedAt !== null ? "already" : model.endsAt === PAST ? "announced" : "early";
            if (kind !== expected) throw new Error(`It is ${kind}, not ${expected}`);
            if (kind === "announced") {
              model.endedAt = 0;
              model.unarchived += 1;
            }
          } else {
            const least = leastOf(model.standing);
            const wanted = "at" in each.amount ? each.amount.at : least + each.amount.beside;
            if (!each.keep) made += 1;
            const bid: Bid = {
              auctionId,
              bidId: `00000000-0000-4000-${each.keep ? "8" : "9"}000-${String(each.keep ? each.id : made).padStart(12, "0")}`,
              bidderId: each.bidder,
              amount: Math.min(Math.max(wanted, 1), MOST_AMOUNT),
            };
            const isNew = !model.known.has(bid.bidId);
            const outcome = await auctions.bid(bid, each.keep);
            const expected = model.bid(bid, each.keep);
            if (JSON.stringify(outcome) !== JSON.stringify(expected)) {
              throw new Error(
                `${JSON.stringify(bid)}: ${JSON.stringify(outcome)}, not ${JSON.stringify(expected)}`,
              );
            }
            if (isNew && outcome.kind === "accepted") accepted.push({ ...outcome, bidId: bid.bidId });
          }
        }

        accepted.forEach(({ seq, amount }, at) => {
          const before = accepted[at - 1]?.amount;
          if (seq !== at + 1) throw new Error(`Number ${at + 1} has the seq ${seq}`);
          if (before !== undefined && amount < before + minIncrement) {
            throw new Error(`${amount} was accepted after ${before}`);
          }
        });
        const state = await auctions.find(auctionId);
        const { seq, highest } = model;
        if (JSON.stringify([state?.seq, state?.highest]) !== JSON.stringify([seq, highest])) {
          throw new Error(`It stands at ${JSON.stringify(state)}, not at ${seq}: ${JSON.stringify(highest)}`);
        }
        if (Number(await raw.xlen(outboxKey)) !== model.unarchived)
          throw new Error("The outbox is not as long");
        if ((await raw.hlen(answersKey(auctionId))) !== model.known.size)
          throw new Error("There are not as many answers");
      },
    ),
    { numRuns: 300, seed: Number(process.env.FC_SEED ?? 7) },
  );
  t.pass("in 300 random sequences");
});
