/** A correct run is held; and with any one thing in it wrong, the verdict finds it, in the place where it belongs. */

import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { seededRandom } from "../../src/models/seeded-random.ts";
import { judgeBidding } from "../../src/verdicts/bidding-conservation.ts";
import type { Outcome } from "../../src/verdicts/verdict.ts";
import { evidenceOf, type Story, simulateAuction, uuid } from "./simulated-auction.ts";

type Answer = Story["answers"][number];

/** Picks one of the story's things. */
type Pick = <T>(from: readonly T[]) => T;

interface Corruption {
  readonly what: string;
  readonly finds: string;
  readonly as?: Outcome;
  readonly wrong: (story: Story, pick: Pick) => void;
}

/** Bids that had one answer and no other, so that nothing else tells of them. */
const only = (story: Story, status: number) => {
  const times = Map.groupBy(story.answers, ({ id }) => id);
  return story.answers.filter((answer) => answer.status === status && times.get(answer.id)?.length === 1);
};
const accepted = (story: Story) => only(story, 201);
/** Not the first and not the last: both have neighbours. */
const inner = (story: Story) =>
  accepted(story).filter(({ seq = 0 }) => seq > 2 && seq < story.auction.seq - 2);
const refused = (story: Story) =>
  only(story, 409).filter(({ seq = 0 }) => seq > 2 && seq < story.auction.seq - 2);
const archived = (story: Story, id: string) => found(story.archive.find(({ bid_id }) => bid_id === id));
const forget = (story: Story, gone: Answer) => {
  story.answers = story.answers.filter(({ id }) => id !== gone.id);
  story.requests = story.answers.length;
};
const priceAt = (story: Story, seq: number) => found(story.archive.find((bid) => bid.seq === seq)).amount;

function found<T>(value: T | undefined): T {
  assert(value !== undefined);
  return value;
}

const GAPLESS = "accepted-numbers-are-gapless";
const ARCHIVE = "archive-is-what-was-accepted";
const HIGHEST = "highest-is-the-same-everywhere";
const REFUSALS = "refusals-were-right";
const CLOCK = "numbers-keep-to-the-clock";
const LIVE = "live-subscribers-end-equal";
const RISE = "accepted-amounts-rise";
const ONCE = "one-effect-per-bid";
const SAYS = "answers-say-what-they-must";

const corruptions: readonly Corruption[] = [
  {
    what: "two bids have one number: a lost update",
    finds: GAPLESS,
    wrong(story, pick) {
      const bid = pick(inner(story));
      bid.seq = (bid.seq ?? 0) - 1;
    },
  },
  {
    what: "a number is nobody's",
    finds: GAPLESS,
    wrong(story, pick) {
      const bid = pick(inner(story));
      forget(story, bid);
      story.archive = story.archive.filter(({ bid_id }) => bid_id !== bid.id);
    },
  },
  {
    what: "a number is higher than there are bids",
    finds: GAPLESS,
    wrong(story, pick) {
      pick(inner(story)).seq = 2 ** 50;
    },
  },
  {
    what: "a bid whose client had no answer took effect, and the archive lost it",
    finds: GAPLESS,
    wrong(story, pick) {
      const bid = pick(inner(story));
      Object.assign(bid, { status: 503, seq: undefined });
      story.archive = story.archive.filter(({ bid_id }) => bid_id !== bid.id);
    },
  },
  {
    what: "amounts fall",
    finds: RISE,
    wrong(story, pick) {
      const bid = pick(inner(story));
      bid.amount = priceAt(story, (bid.seq ?? 0) - 1) - 1;
      archived(story, bid.id).amount = bid.amount;
    },
  },
  {
    what: "an increment is too small",
    finds: RISE,
    wrong(story, pick) {
      const bid = pick(inner(story));
      bid.amount = priceAt(story, (bid.seq ?? 0) - 1) + story.auction.min_increment - 1;
      archived(story, bid.id).amount = bid.amount;
    },
  },
  {
    what: "the first bid is under the starting price",
    finds: RISE,
    wrong(story) {
      story.auction.starting_price = priceAt(story, 1) + 1;
    },
  },
  {
    what: "a bid is refused that is high enough",
    finds: REFUSALS,
    wrong(story, pick) {
      const bid = pick(refused(story));
      bid.amount = (bid.highest ?? 0) + story.auction.min_increment;
    },
  },
  {
    what: "a first bid is refused that is high enough",
    finds: REFUSALS,
    wrong(story, pick) {
      Object.assign(pick(refused(story)), { seq: 0, highest: null, amount: story.auction.starting_price });
    },
  },
  {
    what: "a refusal tells another amount",
    finds: REFUSALS,
    wrong(story, pick) {
      const bid = pick(refused(story));
      bid.highest = (bid.highest ?? 0) + 1;
    },
  },
  {
    what: "a refusal tells a number that nobody has",
    finds: REFUSALS,
    wrong(story, pick) {
      pick(refused(story)).seq = story.auction.seq + 1;
    },
  },
  {
    what: "a refusal tells what was long ago",
    finds: CLOCK,
    wrong(story, pick) {
      const bid = pick(refused(story).filter(({ seq = 0 }) => seq > 60));
      Object.assign(bid, { seq: 1, highest: priceAt(story, 1), amount: priceAt(story, 1) - 1 });
    },
  },
  {
    what: "a bid was sent after one with a higher number had been answered",
    finds: CLOCK,
    wrong(story, pick) {
      pick(inner(story).filter(({ seq = 0 }) => seq < story.auction.seq - 60)).at += 500;
    },
  },
  {
    what: "a bid is accepted after another one was told that the auction has ended",
    finds: CLOCK,
    wrong(story, pick) {
      const bid = pick(only(story, 410));
      bid.at = Math.min(...story.answers.map(({ at }) => at)) - 100;
    },
  },
  {
    what: "the archive lacks one",
    finds: ARCHIVE,
    wrong(story, pick) {
      const { id } = pick(inner(story));
      story.archive = story.archive.filter(({ bid_id }) => bid_id !== id);
    },
  },
  {
    what: "the archive has one that nobody sent",
    finds: ARCHIVE,
    wrong(story) {
      story.archive.push({ seq: 3, bid_id: uuid(seededRandom(1)), bidder_id: "bidder-1", amount: 5 });
    },
  },
  {
    what: "the archive has one that was refused",
    finds: ARCHIVE,
    wrong(story, pick) {
      const { id, amount, bidder } = pick(refused(story));
      story.archive.push({ seq: 3, bid_id: id, bidder_id: bidder, amount });
    },
  },
  {
    what: "an accepted bid was told that it is refused",
    finds: ARCHIVE,
    wrong(story, pick) {
      const bid = pick(inner(story));
      Object.assign(bid, { status: 409, highest: priceAt(story, bid.seq ?? 0) });
    },
  },
  {
    what: "the archive has another amount",
    finds: ARCHIVE,
    wrong(story, pick) {
      archived(story, pick(inner(story)).id).amount += 1;
    },
  },
  {
    what: "the archive has another bidder",
    finds: ARCHIVE,
    wrong(story, pick) {
      archived(story, pick(inner(story)).id).bidder_id = "somebody else";
    },
  },
  {
    what: "the archive has another number",
    finds: ARCHIVE,
    wrong(story, pick) {
      const bid = archived(story, pick(inner(story)).id);
      const other = found(story.archive.find(({ seq }) => seq === bid.seq + 1));
      [bid.seq, other.seq] = [other.seq, bid.seq];
    },
  },
  {
    what: "the archive has one twice",
    finds: ONCE,
    wrong(story, pick) {
      story.archive.push({ ...archived(story, pick(inner(story)).id) });
    },
  },
  {
    what: "sent again, a bid has another number",
    finds: ONCE,
    wrong(story, pick) {
      const bid = pick(inner(story));
      story.requests = story.answers.push({ ...bid, at: bid.at + 100, seq: (bid.seq ?? 0) + 1 });
    },
  },
  {
    what: "sent again, an accepted bid is refused",
    finds: ONCE,
    wrong(story, pick) {
      const bid = pick(inner(story));
      const answer = { status: 409, highest: bid.amount };
      story.requests = story.answers.push({ ...bid, ...answer, at: bid.at + 100 });
    },
  },
  {
    what: "sent again, an accepted bid is unknown",
    finds: ONCE,
    wrong(story, pick) {
      const bid = pick(inner(story));
      story.requests = story.answers.push({ ...bid, status: 404, at: bid.at + 100, seq: undefined });
    },
  },
  {
    what: "two different bids have an effect under one id",
    finds: ONCE,
    wrong(story, pick) {
      const bid = pick(inner(story));
      const answer = { seq: story.auction.seq + 1, amount: (story.auction.highest ?? 0) + 100 };
      story.requests = story.answers.push({ ...bid, ...answer, at: bid.at + 100 });
    },
  },
  {
    what: "Redis lost the last bid",
    finds: HIGHEST,
    wrong(story) {
      const before = found(story.archive.find(({ seq }) => seq === story.auction.seq - 1));
      const { seq, amount: highest, bidder_id, bid_id } = before;
      Object.assign(story.auction, { seq, highest, bidder_id, bid_id });
    },
  },
  {
    what: "Redis has another amount",
    finds: HIGHEST,
    wrong(story) {
      story.auction.highest = (story.auction.highest ?? 0) + 1;
    },
  },
  {
    what: "Redis has another bidder",
    finds: HIGHEST,
    wrong(story) {
      story.auction.bidder_id = "somebody else";
    },
  },
  {
    what: "Redis has another bid",
    finds: HIGHEST,
    wrong(story) {
      story.auction.bid_id = found(story.archive.find(({ seq }) => seq === 3)).bid_id;
    },
  },
  {
    what: "Redis has more bids than anybody told of",
    finds: GAPLESS,
    wrong(story) {
      story.auction.seq += 1;
    },
  },
  {
    what: "a 201 has no number",
    finds: SAYS,
    wrong(story, pick) {
      pick(inner(story)).seq = undefined;
    },
  },
  {
    what: "a 201 names another bid",
    finds: SAYS,
    wrong(story, pick) {
      pick(inner(story)).answered_id = found(accepted(story)[0]).id;
    },
  },
  {
    what: "a 409 does not tell the highest amount",
    finds: SAYS,
    wrong(story, pick) {
      pick(refused(story)).highest = undefined;
    },
  },
  {
    what: "a subscriber ends before the last bid",
    finds: LIVE,
    wrong(story, pick) {
      const seq = story.auction.seq - 1;
      Object.assign(pick(story.live.watchers), { seq, highest: priceAt(story, seq) });
    },
  },
  {
    what: "a subscriber ends with another amount",
    finds: LIVE,
    wrong(story, pick) {
      pick(story.live.watchers).highest = 1;
    },
  },
  {
    what: "a subscriber's number went back",
    finds: LIVE,
    wrong(story, pick) {
      pick(story.live.watchers).wentBack = 1;
    },
  },
  {
    what: "a subscriber was told what cannot be read",
    finds: LIVE,
    wrong(story, pick) {
      pick(story.live.watchers).unreadable = 1;
    },
  },
  {
    what: "a subscriber saw a price that was none",
    finds: LIVE,
    wrong(story, pick) {
      story.live.prices.set(pick(inner(story)).seq ?? 0, 1);
    },
  },
  {
    what: "two subscribers saw two prices for one number",
    finds: LIVE,
    wrong(story, pick) {
      story.live.disputed.add(pick(inner(story)).seq ?? 0);
    },
  },
  {
    what: "there were no subscribers",
    finds: LIVE,
    as: "undecided",
    wrong(story) {
      story.live.watchers = [];
    },
  },
  {
    what: "a subscriber was not connected in the end",
    finds: LIVE,
    as: "undecided",
    wrong(story, pick) {
      Object.assign(pick(story.live.watchers), { connected: false, ended: false });
    },
  },
  {
    what: "a line cannot be read",
    finds: "every-answer-is-on-record",
    wrong(story) {
      story.unreadable = 1;
    },
  },
  {
    what: "a request has no line",
    finds: "every-answer-is-on-record",
    as: "undecided",
    wrong(story) {
      story.requests += 1;
    },
  },
];

const seeds = Array.from({ length: 12 }, (_, at) => 100 + at);

function outcomesOf(story: Story): Record<string, Outcome> {
  const { outcome, invariants } = judgeBidding(evidenceOf(story));
  return { verdict: outcome, ...Object.fromEntries(invariants.map((each) => [each.name, each.outcome])) };
}

t.test("runs as they should be are held, whatever their seed, their rules and their losses", async () => {
  const options = fc.record({
    bids: fc.integer({ min: 30, max: 400 }),
    lost: fc.double({ min: 0, max: 0.3, noNaN: true }),
    late: fc.nat({ max: 10 }),
    startingPrice: fc.integer({ min: 1, max: 1000 }),
    minIncrement: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(fc.integer(), options, (seed, options) => {
      const outcomes = outcomesOf(simulateAuction(seed, options));
      assert.deepEqual([...new Set(Object.values(outcomes))], ["held"], JSON.stringify(outcomes));
    }),
    { seed: 2025, numRuns: 300 },
  );
});

for (const { what, finds, as = "broken", wrong } of corruptions) {
  t.test(what, async (t) => {
    const missed = seeds.filter((seed) => {
      const story = simulateAuction(seed);
      const random = seededRandom(seed);
      wrong(story, (from) => found(from[Math.floor(random() * from.length)]));
      const outcomes = outcomesOf(story);
      return outcomes[finds] !== as || outcomes.verdict !== as;
    });
    t.same(missed, [], `found by ${finds}, in each of ${seeds.length} runs`);
  });
}
