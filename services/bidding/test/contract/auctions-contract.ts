/** The contract of `Auctions`: the same on Redis, by script and by WATCH, as on the in-memory twin. */

import { randomUUID, randomUUIDv7 } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { type Bid, MOST_AMOUNT } from "../../src/domain/auction.ts";
import type { AuctionEvent } from "../../src/domain/events.ts";
import type { Auctions, NewAuction } from "../../src/domain/ports.ts";

export interface AuctionsUnderTest {
  /** Takes no more than `MOST_UNARCHIVED` events that are not archived, and keeps refusals up to `MOST_ANSWERS` answers. */
  readonly auctions: Auctions;
  /** Events of one auction, in their order. */
  events(auctionId: string): Promise<readonly AuctionEvent[]>;
  /** Archives everything. */
  archive(): Promise<void>;
  /** How many answers of an auction are kept. */
  answers(auctionId: string): Promise<number>;
}

export const MOST_UNARCHIVED = 200;
export const MOST_ANSWERS = 120;

const FAR = 3_600_000;

function aNewAuction(changes: Partial<NewAuction> = {}): NewAuction {
  return {
    auctionId: randomUUIDv7(),
    item: "A vase",
    startingPrice: 100,
    minIncrement: 5,
    endsAt: Date.now() + FAR,
    ...changes,
  };
}

export function auctionsContract(t: Test, { auctions, events, archive, answers }: AuctionsUnderTest): void {
  t.beforeEach(archive);

  async function opened(changes: Partial<NewAuction> = {}) {
    const auction = aNewAuction(changes);
    const creation = await auctions.create(auction);
    if (creation.kind !== "created") throw new Error(`It is ${creation.kind}`);
    const bid = (amount: number, more: Partial<Bid> = {}): Bid => ({
      auctionId: auction.auctionId,
      bidId: randomUUID(),
      bidderId: "ann",
      amount,
      ...more,
    });
    return { ...creation.auction, id: auction.auctionId, bid };
  }

  t.test("one that is opened can be found, and is told of", async (t) => {
    const { id, createdAt, endsAt } = await opened({ item: "Vase, »blue«\u{1F3FA}" });
    t.same(await auctions.find(id), {
      auctionId: id,
      item: "Vase, »blue«\u{1F3FA}",
      startingPrice: 100,
      minIncrement: 5,
      createdAt,
      endsAt,
      status: "open",
      seq: 0,
      highest: null,
    });
    t.match(await events(id), [
      {
        type: "opened",
        at: createdAt,
        item: "Vase, »blue«\u{1F3FA}",
        starting_price: 100,
        min_increment: 5,
        ends_at: endsAt,
      },
    ]);
    t.equal(await auctions.find(randomUUIDv7()), undefined);
  });

  t.test("one whose end is past is not opened", async (t) => {
    const auction = aNewAuction({ endsAt: Date.now() - 1 });
    t.match(await auctions.create(auction), { kind: "past", now: Number });
    t.equal(await auctions.find(auction.auctionId), undefined);
    t.same(await events(auction.auctionId), []);
  });

  t.test("bids rise by the increment, are numbered without a gap, and each is told of", async (t) => {
    const { id, bid } = await opened();
    t.same(await auctions.bid(bid(99), false), { kind: "refused", seq: 0, highest: null, least: 100 });
    const first = bid(100);
    t.same(await auctions.bid(first, false), { kind: "accepted", seq: 1, amount: 100 });
    t.same(await auctions.bid(bid(104), false), { kind: "refused", seq: 1, highest: 100, least: 105 });
    const second = bid(105, { bidderId: "bob, the 2nd" });
    t.same(await auctions.bid(second, true), { kind: "accepted", seq: 2, amount: 105 });
    const { bidId, bidderId, amount } = second;
    t.match(await auctions.find(id), { seq: 2, highest: { amount, bidId, bidderId } });
    t.match(await events(id), [
      { type: "opened" },
      { type: "bid", seq: 1, bid_id: first.bidId, bidder_id: "ann", amount: 100 },
      { type: "bid", seq: 2, bid_id: second.bidId, bidder_id: "bob, the 2nd", amount: 105 },
    ]);
  });

  t.test("the same bid again has the same answer and one effect", async (t) => {
    const { id, bid } = await opened();
    const accepted = bid(100);
    const refused = bid(101, { bidderId: "a b 1" });
    const answers = [await auctions.bid(accepted, true), await auctions.bid(refused, true)];
    await auctions.bid(bid(200), false);
    t.same([await auctions.bid(accepted, true), await auctions.bid(refused, true)], answers);
    t.match(await auctions.find(id), { seq: 2, highest: { amount: 200 } });
    t.equal((await events(id)).length, 3);
  });

  t.test("an answer is kept where its id was made for it, once it is accepted", async (t) => {
    const { bid } = await opened();
    const made = bid(100);
    t.match(await auctions.bid(made, false), { kind: "accepted", seq: 1 });
    t.match(
      await auctions.bid(made, true),
      { kind: "accepted", seq: 1 },
      "whoever was told the id may send it",
    );
    const low = bid(101);
    t.match(await auctions.bid(low, false), { kind: "refused" });
    t.match(await auctions.bid({ ...low, amount: 300 }, true), { kind: "accepted" }, "a refusal is not");
  });

  t.test("a bid's id belongs to its bidder and amount", async (t) => {
    const { id, bid } = await opened();
    const one = bid(100, { bidderId: "ann lee" });
    await auctions.bid(one, true);
    t.same(await auctions.bid({ ...one, amount: 500 }, true), { kind: "other-bid" });
    t.same(await auctions.bid({ ...one, bidderId: "lee" }, true), { kind: "other-bid" });
    t.match(await auctions.find(id), { seq: 1 });
  });

  t.test("amounts are exact up to 2^53 - 1, and the last one has no successor", async (t) => {
    const { id, bid } = await opened({ startingPrice: MOST_AMOUNT - 1, minIncrement: 1 });
    t.match(await auctions.bid(bid(MOST_AMOUNT - 2), false), { kind: "refused", least: MOST_AMOUNT - 1 });
    t.match(await auctions.bid(bid(MOST_AMOUNT - 1), true), { kind: "accepted", amount: MOST_AMOUNT - 1 });
    const last = bid(MOST_AMOUNT);
    t.same(await auctions.bid(last, true), { kind: "accepted", seq: 2, amount: MOST_AMOUNT });
    t.same(await auctions.bid(bid(MOST_AMOUNT), true), {
      kind: "refused",
      seq: 2,
      highest: MOST_AMOUNT,
      least: MOST_AMOUNT + 1,
    });
    t.match(await auctions.find(id), { highest: { amount: MOST_AMOUNT } });
    t.match((await events(id)).at(-1), { type: "bid", seq: 2, bid_id: last.bidId, amount: MOST_AMOUNT });
    const far = await opened({ startingPrice: MOST_AMOUNT, minIncrement: MOST_AMOUNT });
    t.match(await auctions.bid(far.bid(MOST_AMOUNT), true), { kind: "accepted", seq: 1 });
    t.match(await auctions.bid(far.bid(MOST_AMOUNT), true), { kind: "refused", least: 2 * MOST_AMOUNT });
  });

  t.test("nobody can bid on what is not there", async (t) => {
    const { bid } = await opened();
    const outcome = await auctions.bid(bid(100, { auctionId: randomUUIDv7() }), true);
    t.same(outcome, { kind: "unknown" });
  });

  t.test("of a hundred bids at once, as many take effect as are numbered", async (t) => {
    const { id, bid } = await opened({ startingPrice: 1, minIncrement: 1 });
    const amounts = Array.from({ length: 100 }, (_, n) => ((n * 37) % 100) + 1);
    const outcomes = await Promise.all(amounts.map((amount) => auctions.bid(bid(amount), true)));
    const accepted = outcomes.flatMap((outcome) => (outcome.kind === "accepted" ? outcome : []));
    accepted.sort((a, b) => a.seq - b.seq);
    t.same(
      accepted.map(({ seq }) => seq),
      accepted.map((_, at) => at + 1),
    );
    t.ok(accepted.every(({ amount }, at) => amount > (accepted[at - 1]?.amount ?? 0)));
    t.equal(accepted.at(-1)?.amount, 100);
    t.match(await auctions.find(id), { seq: accepted.length, highest: { amount: 100 } });
  });

  t.test("the same bid ten times at once takes effect once", async (t) => {
    const { id, bid } = await opened();
    const same = bid(100);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => auctions.bid(same, true)));
    t.same(outcomes, Array(10).fill({ kind: "accepted", seq: 1, amount: 100 }));
    t.equal((await events(id)).length, 2);
  });

  t.test("at its end bids are refused, and the end is told once, with the winner", async (t) => {
    const { id, bid, endsAt } = await opened({ endsAt: Date.now() + 2000 });
    t.match(await auctions.close(id), { kind: "early", leftMs: Number });
    t.notOk((await auctions.due(1000)).includes(id));
    const winner = bid(100);
    await auctions.bid(winner, true);
    await waitFor("its end", async () => (await auctions.find(id))?.status === "ended");
    const late = bid(500);
    t.same(await auctions.bid(late, true), { kind: "ended", endsAt });
    t.match(await auctions.bid(winner, true), { kind: "accepted", seq: 1 }, "what was accepted stays so");
    t.ok((await auctions.due(1000)).includes(id));
    t.match(await auctions.close(id), { kind: "announced", at: Number });
    t.same(await auctions.close(id), { kind: "already" });
    t.notOk((await auctions.due(1000)).includes(id));
    t.match(await auctions.bid(late, true), { kind: "ended" });
    t.match(await auctions.bid(bid(600), true), { kind: "ended" });
    t.match((await events(id)).slice(1), [
      { type: "bid" },
      { type: "ended", seq: 1, bid_id: winner.bidId, bidder_id: "ann", amount: 100 },
    ]);
  });

  t.test("the end of one that nobody bid on has no winner; of one that is not there, nothing", async (t) => {
    const { id, endsAt } = await opened({ endsAt: Date.now() + 1000 });
    await waitFor("its end", async () => (await auctions.find(id))?.status === "ended");
    t.match(await auctions.close(id), { kind: "announced" });
    t.match((await events(id)).at(-1), {
      type: "ended",
      seq: 0,
      bid_id: null,
      bidder_id: null,
      amount: null,
    });
    t.match(await auctions.find(id), { status: "ended", endsAt, seq: 0 });
    t.same(await auctions.close(randomUUIDv7()), { kind: "unknown" });
  });

  t.test("pages hold each auction once, newest first", async (t) => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) ids.push((await opened()).id);
    // In the order of their ids, which is no order within one millisecond.
    ids.sort().reverse();
    const seen: string[] = [];
    for (let before: string | undefined; ; ) {
      const page = await auctions.page(3, before);
      seen.push(...page.auctions.map(({ auctionId }) => auctionId));
      before = page.next;
      if (before === undefined || seen.length >= ids.length) break;
    }
    t.same(seen.slice(0, ids.length), ids);
  });

  t.test(
    "what the archive lags behind is bounded: then nothing is accepted, until it has caught up",
    async (t) => {
      const { bid } = await opened({ startingPrice: 1, minIncrement: 1 });
      for (let amount = 1; amount < MOST_UNARCHIVED; amount += 1) await auctions.bid(bid(amount), false);
      const known = bid(MOST_UNARCHIVED);
      t.same(await auctions.bid(known, true), { kind: "busy", unarchived: MOST_UNARCHIVED });
      t.match(await auctions.bid(bid(1), true), { kind: "refused" }, "what is refused anyway still is");
      t.same(await auctions.create(aNewAuction()), { kind: "busy", unarchived: MOST_UNARCHIVED });
      await archive();
      t.match(await auctions.bid(known, true), { kind: "accepted" }, "and that was not kept");
    },
  );

  t.test("answers to refused bids are bounded; those to accepted ones are kept all the same", async (t) => {
    const { id, bid } = await opened({ endsAt: Date.now() + 3000 });
    const first = bid(1);
    const refusals = [];
    for (let n = 0; n < MOST_ANSWERS; n += 1)
      refusals.push(await auctions.bid(n === 0 ? first : bid(1), true));
    t.equal(await answers(id), MOST_ANSWERS);
    const late = bid(99);
    t.match(await auctions.bid(late, true), { kind: "refused", seq: 0, least: 100 });
    t.equal(await answers(id), MOST_ANSWERS, "no more of them");
    const accepted = bid(200);
    t.match(await auctions.bid(accepted, true), { kind: "accepted", seq: 1 });
    t.equal(await answers(id), MOST_ANSWERS + 1);
    t.same(
      await auctions.bid(late, true),
      { kind: "refused", seq: 1, highest: 200, least: 205 },
      "a later one",
    );
    t.same(await auctions.bid(first, true), refusals[0], "what is kept stays");
    t.match(await auctions.bid(accepted, true), { kind: "accepted", seq: 1 });
    await waitFor("its end", async () => (await auctions.find(id))?.status === "ended");
    t.match(await auctions.bid(bid(500), true), { kind: "ended" });
    t.equal(await answers(id), MOST_ANSWERS + 1);
  });

  t.test("it can be used", async (t) => {
    await t.resolves(auctions.check());
  });
}
