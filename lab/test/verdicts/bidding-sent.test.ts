/** What a bid's repeated answers come to. */

import t from "tap";
import { type BidAnswer, SentBids } from "../../src/verdicts/bidding-sent.ts";

const ID = "00000000-0000-4000-8000-000000000001";

function answer(status: number, changes: Partial<BidAnswer> = {}): BidAnswer {
  const at = 1000;
  return { at, wall_ms: 10, ms: 9.5, status, id: ID, amount: 100, bidder: "b", ...changes };
}

const accepted = (changes: Partial<BidAnswer> = {}) =>
  answer(201, { seq: 3, answered_id: ID, answered_amount: changes.amount ?? 100, ...changes });
const refused = (changes: Partial<BidAnswer> = {}) => answer(409, { seq: 3, highest: 100, ...changes });

function fold(...answers: readonly BidAnswer[]) {
  const sent = new SentBids();
  for (const each of answers) sent.add(each);
  return sent;
}

t.test("what one answer tells", async (t) => {
  const told = (status: number) =>
    fold(answer(status, { seq: 1, highest: 1, answered_id: ID, answered_amount: 100 })).at(0).told;
  const statuses = [201, 409, 410, 404, 422, 429, 400, 0, 500, 503, 200];
  t.same(statuses.map(told), [
    "accepted",
    "refused",
    "ended",
    "rejected",
    "rejected",
    "turned-away",
    "rejected",
    "unknown",
    "unknown",
    "unknown",
    "unknown",
  ]);
});

t.test("it took effect between its first sending and its first definite answer", async (t) => {
  const attempts = [answer(503), accepted({ at: 2000 }), accepted({ at: 3000 })];
  for (const order of [attempts, attempts.toReversed()]) {
    t.match(fold(...order).at(0), { told: "accepted", seq: 3, began: 1000, ended: 2011 });
  }
  t.match(fold(answer(503), answer(0, { at: 2000 })).at(0), {
    told: "unknown",
    ended: Number.POSITIVE_INFINITY,
  });
});

t.test("a definite answer outweighs the others, in whatever order they come", async (t) => {
  const outcome = (...answers: readonly BidAnswer[]) => fold(...answers).at(0).told;
  t.equal(outcome(answer(429), answer(503)), "unknown");
  t.equal(outcome(answer(503), answer(429)), "unknown");
  t.equal(outcome(refused(), answer(0)), "refused");
  t.equal(outcome(answer(429), accepted()), "accepted");
});

t.test("definite answers that differ are contradictory, and those that do not are not", async (t) => {
  const contradicts = (...answers: readonly BidAnswer[]) => fold(...answers).contradicted.count;
  t.equal(contradicts(accepted(), accepted({ at: 5000 }), answer(503), answer(429)), 0);
  t.equal(contradicts(refused(), refused()), 0);
  t.equal(contradicts(refused({ seq: 0, highest: null }), refused({ seq: 0, highest: null })), 0);
  t.equal(contradicts(accepted(), accepted({ seq: 4 })), 1);
  t.equal(contradicts(refused(), refused({ highest: 101 })), 1);
  t.equal(contradicts(accepted(), refused()), 1);
  t.equal(contradicts(accepted(), answer(410)), 1);
  t.equal(contradicts(accepted(), answer(404)), 1);
});

t.test("of two different bids under one id, one is the bid", async (t) => {
  const other = { amount: 999, bidder: "c" };
  for (const order of [
    [accepted(), answer(422, other)],
    [answer(422, other), accepted()],
    [answer(0, other), accepted()],
    [accepted(), answer(0, other)],
  ]) {
    const sent = fold(...order);
    t.match(sent.at(0), { told: "accepted", amount: 100, bidder: "b" });
    t.equal(sent.contradicted.count, 0);
  }
  t.equal(fold(accepted(), accepted({ seq: 4, ...other })).contradicted.count, 1);
  t.match(fold(answer(0), answer(503, other)).at(0), { told: "unknown", amount: undefined });
  t.match(fold(answer(0), answer(503, other), accepted(other)).at(0), { told: "accepted", amount: 999 });
});

t.test("an answer that lacks what it has to say tells nothing, and is counted", async (t) => {
  for (const malformed of [
    answer(201),
    accepted({ seq: 0 }),
    accepted({ seq: 1.5 }),
    accepted({ answered_id: undefined }),
    accepted({ answered_amount: undefined }),
    accepted({ answered_amount: 101 }),
    accepted({ answered_id: "00000000-0000-4000-8000-000000000002" }),
    answer(409, { highest: 100 }),
    answer(409, { seq: 1 }),
    refused({ seq: 1, highest: null }),
    refused({ seq: 0, highest: 5 }),
  ]) {
    const sent = fold(malformed);
    t.equal(sent.malformed.count, 1, JSON.stringify(malformed));
    t.equal(sent.at(0).told, "unknown");
  }
  t.equal(fold(accepted({ answered_id: ID.toUpperCase() })).malformed.count, 0);
});

t.test("a clock that is set back is noticed", async (t) => {
  t.notOk(fold(accepted({ wall_ms: 10, ms: 10.99 })).clockWasSetBack);
  t.ok(fold(accepted({ wall_ms: 0, ms: 10 })).clockWasSetBack);
});

t.test("what has no UUID is not taken", async (t) => {
  const sent = new SentBids();
  t.notOk(sent.add(accepted({ id: "bid-1" })));
  t.equal(sent.size, 0);
});
