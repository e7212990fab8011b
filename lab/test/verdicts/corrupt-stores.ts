/** What may be wrong with the archive, with Redis, with what live subscribers saw, and with the record of the run. */

import { seededRandom } from "../../src/models/seeded-random.ts";
import { archived, type Corruption, found, inner, priceAt, refused } from "./corruption.ts";
import { uuid } from "./simulated-auction.ts";

const ARCHIVE = "archive-is-what-was-accepted";
const HIGHEST = "highest-is-the-same-everywhere";
const LIVE = "live-subscribers-end-equal";

export const corruptStores: readonly Corruption[] = [
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
    what: "a subscriber saw a bidder who did not bid it",
    finds: LIVE,
    wrong(story, pick) {
      story.live.bidders.set(pick(inner(story)).seq ?? 0, "somebody else");
    },
  },
  {
    what: "a subscriber saw nobody as the bidder",
    finds: LIVE,
    wrong(story, pick) {
      story.live.bidders.set(pick(inner(story)).seq ?? 0, null);
    },
  },
  {
    what: "a subscriber saw a bidder before the first bid",
    finds: LIVE,
    wrong(story) {
      story.live.bidders.set(0, "somebody");
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
