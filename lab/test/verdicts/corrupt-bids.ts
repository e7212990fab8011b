/** What may be wrong with what clients were told. */

import {
  type Answer,
  accepted,
  archived,
  type Corruption,
  forget,
  found,
  inner,
  only,
  priceAt,
  refused,
} from "./corruption.ts";

const GAPLESS = "accepted-numbers-are-gapless";
const REFUSALS = "refusals-were-right";
const CLOCK = "numbers-keep-to-the-clock";
const RISE = "accepted-amounts-rise";
const ONCE = "one-effect-per-bid";
const SAYS = "answers-say-what-they-must";

/** With another amount, and answered for it. */
function resent(bid: Answer, amount: number): void {
  Object.assign(bid, { amount, answered_amount: amount });
}

export const corruptBids: readonly Corruption[] = [
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
      resent(bid, priceAt(story, (bid.seq ?? 0) - 1) - 1);
      archived(story, bid.id).amount = bid.amount;
    },
  },
  {
    what: "an increment is too small",
    finds: RISE,
    wrong(story, pick) {
      const bid = pick(inner(story));
      resent(bid, priceAt(story, (bid.seq ?? 0) - 1) + story.auction.min_increment - 1);
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
    what: "a bid is told of the end, and the auction is open",
    finds: REFUSALS,
    wrong(story) {
      story.auction.status = "open";
    },
  },
  {
    what: "the auction is ended before its time",
    finds: REFUSALS,
    wrong(story) {
      story.auction.ends_at = new Date(Date.parse(story.auction.ends_at) + 60_000).toISOString();
    },
  },
  {
    what: "a bid is told that there is no such auction",
    finds: REFUSALS,
    wrong(story, pick) {
      Object.assign(pick(refused(story)), { status: 404, seq: undefined, highest: undefined });
    },
  },
  {
    what: "a bid is told that something is wrong with it",
    finds: REFUSALS,
    wrong(story, pick) {
      Object.assign(pick(refused(story)), { status: 422, seq: undefined, highest: undefined });
    },
  },
  {
    what: "a bid cannot be read",
    finds: REFUSALS,
    wrong(story, pick) {
      Object.assign(pick(refused(story)), { status: 400, seq: undefined, highest: undefined });
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
      const other = { ...bid, seq: story.auction.seq + 1, at: bid.at + 100 };
      resent(other, (story.auction.highest ?? 0) + 100);
      story.requests = story.answers.push(other);
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
    what: "a 201 names no bid",
    finds: SAYS,
    wrong(story, pick) {
      pick(inner(story)).answered_id = undefined;
    },
  },
  {
    what: "a 201 names another amount",
    finds: SAYS,
    wrong(story, pick) {
      pick(inner(story)).answered_amount = 1;
    },
  },
  {
    what: "a 409 does not tell the highest amount",
    finds: SAYS,
    wrong(story, pick) {
      pick(refused(story)).highest = undefined;
    },
  },
];
