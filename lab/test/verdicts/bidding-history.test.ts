/** Small histories of an auction with answers missing: which of them can be explained. */

import fc from "fast-check";
import t from "tap";
import { seededRandom } from "../../src/models/seeded-random.ts";
import { type AuctionCall, type BidTold, judgeSmallHistory } from "../../src/verdicts/bidding-history.ts";
import { simulateAuction } from "./simulated-auction.ts";

const rules = { starting_price: 100, min_increment: 10 };

const bid = (id: string, amount: number, began: number, ended?: number, answer?: BidTold): AuctionCall => ({
  operation: { op: "bid", bid_id: id, bidder_id: "b", amount, answer },
  began,
  ended,
});
const accepted = (seq: number) => ({ status: 201, seq }) as const;
const refused = (seq: number, highest: number | null) => ({ status: 409, seq, highest }) as const;
const ended = { status: 410 } as const;
const read = (seq: number, highest: number | null, bid_id: string | null, began: number): AuctionCall => ({
  operation: { op: "read", answer: { seq, highest, bid_id, status: "open" } },
  began,
  ended: began + 1,
});
const outcome = (...history: readonly AuctionCall[]) => judgeSmallHistory(rules, history).outcome;

t.test("bids in turn, and at once", async (t) => {
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), bid("b", 110, 2, 3, accepted(2))), "held");
  t.equal(outcome(bid("a", 110, 0, 5, accepted(2)), bid("b", 100, 1, 4, accepted(1))), "held");
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), bid("b", 109, 2, 3, refused(1, 100))), "held");
  t.equal(outcome(bid("a", 99, 0, 1, refused(0, null)), bid("b", 100, 2, 3, accepted(1))), "held");
});

t.test("a lost update: two bids with one number", async (t) => {
  t.equal(outcome(bid("a", 100, 0, 5, accepted(1)), bid("b", 110, 1, 4, accepted(1))), "broken");
});

t.test("answers that no order explains", async (t) => {
  t.equal(
    outcome(bid("a", 100, 0, 1, accepted(1)), bid("b", 109, 2, 3, accepted(2))),
    "broken",
    "too little",
  );
  t.equal(
    outcome(bid("a", 100, 0, 1, accepted(1)), bid("b", 110, 2, 3, refused(1, 100))),
    "broken",
    "enough",
  );
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), bid("b", 90, 2, 3, refused(0, null))), "broken", "stale");
  t.equal(outcome(bid("a", 110, 0, 1, accepted(2)), bid("b", 100, 2, 3, accepted(1))), "broken", "the clock");
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), read(0, null, null, 2)), "broken", "lost");
  t.equal(outcome(bid("a", 100, 0, 1, accepted(2))), "broken", "a number too high");
});

t.test("a bid without an answer has its effect at once, late, or never", async (t) => {
  const lost = bid("a", 100, 0);
  t.equal(outcome(lost, bid("b", 120, 1, 2, accepted(1))), "held", "never");
  t.equal(outcome(lost, bid("b", 120, 1, 2, accepted(2))), "held", "before it");
  t.equal(
    outcome(lost, read(0, null, null, 5), read(1, 100, "a", 90), bid("b", 110, 99, 100, accepted(2))),
    "held",
    "late",
  );
  t.equal(
    outcome(lost, read(1, 100, "a", 5), bid("b", 110, 9, 10, accepted(1))),
    "broken",
    "it was there, and is not",
  );
  t.equal(outcome(bid("b", 120, 1, 2, accepted(2)), bid("a", 100, 3)), "broken", "not before it was sent");
});

t.test("a bid that ended without an answer has its effect late or never, too", async (t) => {
  const given = bid("a", 100, 0, 3);
  t.equal(outcome(given, bid("b", 120, 4, 5, accepted(1))), "held", "never");
  t.equal(outcome(given, read(0, null, null, 5), read(1, 100, "a", 90)), "undecided", "late");
  t.equal(
    outcome(given, read(0, null, null, 5), bid("b", 110, 99, 100, accepted(2))),
    "held",
    "late, and another bid was answered",
  );
  t.equal(outcome(given), "undecided", "it is no bid that was answered");
});

t.test("the same bid again: one effect, one answer", async (t) => {
  t.equal(
    outcome(bid("a", 100, 0), bid("a", 100, 1, 2, accepted(1)), bid("a", 100, 3, 4, accepted(1))),
    "held",
  );
  t.equal(
    outcome(bid("a", 100, 0), bid("b", 110, 1, 2, accepted(2)), bid("a", 100, 3, 4, accepted(1))),
    "held",
  );
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), bid("a", 100, 2, 3, refused(1, 100))), "broken");
  const twice = [bid("a", 110, 0, 1, accepted(2)), bid("a", 110, 10, 11, accepted(2))];
  t.equal(outcome(...twice, bid("b", 100, 5, 6, accepted(1))), "broken", "its first answer was before b");
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), bid("a", 100, 2, 3, accepted(2))), "broken");
  const again = bid("a", 90, 4, 5, refused(0, null));
  t.equal(
    outcome(bid("a", 90, 0, 1, refused(0, null)), bid("b", 100, 2, 3, accepted(1)), again),
    "held",
    "remembered",
  );
});

t.test("another bid under the same id is none", async (t) => {
  const other = bid("a", 150, 2, 3, { status: 422 });
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), other), "held");
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), bid("a", 150, 2, 3, accepted(2))), "broken");
  t.equal(outcome(other, bid("b", 100, 5, 6, accepted(1))), "broken", "there is no first one");
});

t.test("after the end there is no bid, and the end is for all", async (t) => {
  t.equal(outcome(bid("a", 100, 0, 1, accepted(1)), bid("b", 110, 2, 3, ended)), "held");
  t.equal(outcome(bid("b", 110, 0, 5, ended), bid("a", 100, 1, 2, accepted(1))), "held", "at once");
  t.equal(outcome(bid("b", 110, 0, 1, ended), bid("a", 100, 2, 3, accepted(1))), "broken");
  t.equal(
    outcome(bid("b", 110, 0, 1, ended), bid("a", 100, 2), read(1, 100, "a", 9)),
    "broken",
    "nor one without an answer",
  );
});

t.test("without an answered bid nothing is proven; over the budget neither", async (t) => {
  t.equal(outcome(), "undecided");
  t.equal(outcome(bid("a", 100, 0), read(0, null, null, 1)), "undecided");
  const lost = Array.from({ length: 30 }, (_, at) => bid(`lost-${at}`, 100 + at * 10, 0));
  const verdict = judgeSmallHistory(rules, [...lost, bid("a", 9000, 1, 2, accepted(40))], { steps: 500 });
  t.equal(verdict.outcome, "undecided");
});

t.test("a broken history comes with the answers that cannot be explained", async (t) => {
  const history = [
    bid("a", 100, 0, 1, accepted(1)),
    bid("b", 110, 2, 3, accepted(2)),
    bid("c", 120, 4, 5, accepted(2)),
  ];
  const { invariants } = judgeSmallHistory(rules, history);
  t.match(invariants[1], { counts: { checked: 3, explained: 2 } });
  t.match(invariants[1]?.examples, [
    /^2 of 3 answers.*bid b of 110/,
    /^cannot be next: bid c of 120.*"seq":2/,
  ]);
});

t.test("simulated auctions can be explained; with a false answer they cannot", async (t) => {
  const found = { held: 0, broken: 0, undecided: 0 };
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), fc.boolean(), (seed, lie) => {
      const options = {
        bids: 40,
        lost: 0.2,
        startingPrice: rules.starting_price,
        minIncrement: rules.min_increment,
      };
      const history = simulateAuction(seed, options).answers.map(
        ({ id, bidder, amount, at, wall_ms, ...told }): AuctionCall => {
          const answer = [201, 409, 410].includes(told.status) ? (told as unknown as BidTold) : undefined;
          const operation = { op: "bid", bid_id: id, bidder_id: bidder, amount, answer } as const;
          return { operation, began: at, ...(answer && { ended: at + wall_ms }) };
        },
      );
      const win = lie ? oneAfterAnother(history, seed) : undefined;
      if (win) history[history.indexOf(win.call)] = win.lie;
      const { outcome } = judgeSmallHistory(rules, history);
      found[outcome] += 1;
      return outcome === (win ? "broken" : "held");
    }),
    { seed: 40, numRuns: 200 },
  );
  t.ok(found.held > 50 && found.broken > 50, JSON.stringify(found));
});

/** An accepted bid, and the same with the number of the one before it, whose client knows of it, too. */
function oneAfterAnother(history: readonly AuctionCall[], seed: number) {
  const numbered = history.flatMap((call) => {
    const { operation } = call;
    return operation.op === "bid" && operation.answer?.status === 201
      ? [{ call, operation, seq: operation.answer.seq }]
      : [];
  });
  const numbers = new Map(numbered.map(({ seq, operation }) => [seq, operation.bid_id]));
  const pairs = numbered.filter(({ seq }) => numbers.has(seq - 1));
  const one = pairs[Math.floor(seededRandom(seed)() * pairs.length)];
  if (!one) return undefined;
  const { call, operation, seq } = one;
  return { call, lie: { ...call, operation: { ...operation, answer: accepted(seq - 1) } } };
}
