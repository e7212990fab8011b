/**
 * The check of an auction after a run: no bid is lost, none has two effects, each refusal was right, and Redis, the archive and the
 * live subscribers tell the same story. Judged by what clients were told, which is held against what the parts show in the end.
 *
 * The published check is one comparison, "final price = highest amount submitted". A lost update below the highest bid passes it;
 * here it is a number that two bids have, or a bid that the archive lacks.
 */

import { archivedIsAccepted, highestIsTheSame } from "./bidding-agreement.ts";
import type { BiddingEvidence } from "./bidding-evidence.ts";
import { liveEndsEqual } from "./bidding-live.ts";
import { type Numbers, numbersOf } from "./bidding-numbers.ts";
import { keepsToTheClock } from "./bidding-order.ts";
import type { SentBids, Told } from "./bidding-sent.ts";
import { noneOfThem, Offenders } from "./offenders.ts";
import { type Invariant, noneOf, type Observation, type Verdict, verdictOf } from "./verdict.ts";

/** Of all bids: where more were never decided, whom the auction served is too few to tell of all. */
const MOST_UNDECIDED = 0.5;

/** Of all bids: with fewer, hardly anything was changed that could have been lost. */
const LEAST_ACCEPTED = 0.1;

/** Milliseconds by which Redis's clock, which ends the auction, may be ahead of the clients'. */
const CLOCKS_APART = 5_000;

export function judgeBidding(evidence: BiddingEvidence): Verdict {
  const { sent } = evidence;
  const numbers = numbersOf(evidence);
  const counts = countTold(sent);
  return verdictOf(
    [
      allOnRecord(evidence),
      answersSayWhatTheyMust(sent),
      numbersAreGapless(numbers, evidence),
      amountsRise(numbers, evidence),
      highestIsTheSame(numbers, evidence),
      archivedIsAccepted(numbers, evidence),
      // Without a refusal there is none to be wrong: bidders who take turns are never refused.
      ...(counts.refused + counts.ended + counts.rejected > 0 ? [refusalsWereRight(numbers, evidence)] : []),
      oneEffectPerBid(sent, evidence),
      keepsToTheClock(numbers, sent),
      liveEndsEqual(numbers, evidence),
      enoughDecided(counts.turned_away + numbers.unheard, sent.size),
      enoughAccepted(counts.accepted, sent.size),
    ],
    [
      {
        name: "bids",
        detail: "Bids by what their clients were told in the end; repeated ones count once.",
        counts: { ...counts, repeated_answers: sent.repeated },
      },
      {
        name: "surplus",
        detail:
          "Bids that took effect although their clients had no answer, and those that did not. Not an error: a lost answer is not a lost bid.",
        counts: { surplus: numbers.surplus, without_effect: numbers.unheard },
      },
      publishedCheck(evidence),
      {
        name: "answers",
        detail: "What clients were told, by status; 0 is no answer.",
        counts: Object.fromEntries([...sent.statuses].map(([status, count]) => [String(status), count])),
      },
    ],
  );
}

function allOnRecord({ lines, unreadable, requests }: BiddingEvidence): Invariant {
  const name = "every-answer-is-on-record";
  const detail = "Every request that the load generator made has a line that can be read.";
  const missing = Math.max(0, (requests ?? 0) - lines - unreadable);
  if (missing > 0 && unreadable === 0) {
    return { name, outcome: "undecided", detail, counts: { checked: lines, missing } };
  }
  const offenders = unreadable > 0 ? [`${unreadable} lines`] : [];
  return noneOf(name, offenders, {
    checked: lines + unreadable,
    counts: { offending: unreadable, missing },
    detail,
  });
}

function answersSayWhatTheyMust({ malformed, statuses }: SentBids): Invariant {
  return noneOfThem("answers-say-what-they-must", malformed, {
    checked: (statuses.get(201) ?? 0) + (statuses.get(409) ?? 0),
    detail:
      "Each 201 has a number and names the bid and its amount; each 409 has a number and the highest amount.",
  });
}

/** A lost update shows here: two bids were told the same number, or a number is nobody's. */
function numbersAreGapless(numbers: Numbers, { drained }: BiddingEvidence): Invariant {
  const { last, told, surplus, unheard, doubled, impossible, missing } = numbers;
  const name = "accepted-numbers-are-gapless";
  const detail = "Accepted bids are numbered 1, 2, 3 … without a gap, and no number is two bids'.";
  const counts = { last, told, from_archive: surplus, missing: missing.count };
  const offenders = new Offenders();
  offenders.addAll(doubled);
  offenders.addAll(impossible);
  // What the archive does not have yet may be the bids whose clients had no answer.
  if (offenders.count === 0 && missing.count > 0 && !drained && missing.count <= unheard) {
    const why = "The archive was not complete when the time to settle was over.";
    return { name, outcome: "undecided", detail: `${detail} ${why}`, counts: { checked: told, ...counts } };
  }
  offenders.addAll(missing, " is nobody's");
  return noneOfThem(name, offenders, { checked: told + surplus, counts, detail });
}

function amountsRise({ last, amounts }: Numbers, { auction }: BiddingEvidence): Invariant {
  const { starting_price, min_increment } = auction;
  const offenders = new Offenders();
  let checked = 0;
  let before = 0;
  for (let seq = 1; seq <= last; seq += 1) {
    const amount = amounts[seq] as number;
    if (Number.isNaN(amount)) continue;
    checked += 1;
    if (before === 0 && amount < starting_price) {
      offenders.add(`seq ${seq}: ${amount}, under the starting price of ${starting_price}`);
    }
    if (before !== 0 && amount - (amounts[before] as number) < (seq - before) * min_increment) {
      offenders.add(`seq ${seq}: ${amount}, after ${amounts[before]} at seq ${before}`);
    }
    before = seq;
  }
  const detail =
    "In the order of their numbers, amounts rise by the minimum increment at least, beginning at the starting price.";
  return noneOfThem("accepted-amounts-rise", offenders, { checked, detail });
}

function refusalsWereRight({ amounts, unheard }: Numbers, evidence: BiddingEvidence): Invariant {
  const { sent, drained, auction } = evidence;
  const name = "refusals-were-right";
  const offenders = new Offenders();
  let [checked, open] = [0, 0];
  const isOver = (at: number) =>
    auction.status === "ended" && at >= Date.parse(auction.ends_at) - CLOCKS_APART;
  for (let row = 0; row < sent.size; row += 1) {
    const { told, amount = 0, seq, highest, ended } = sent.at(row);
    if (told !== "refused" && told !== "ended" && told !== "rejected") continue;
    checked += 1;
    if (told !== "refused") {
      if (told === "ended" && !isOver(ended))
        offenders.add(`${sent.idOf(row)}: ${amount} was told of the end, and the auction was open`);
      if (told === "rejected" && Number.isSafeInteger(amount) && amount > 0)
        offenders.add(
          `${sent.idOf(row)}: ${amount} was rejected, and there is the auction and nothing wrong with it`,
        );
      continue;
    }
    const actual = seq === 0 ? null : (amounts[seq] ?? Number.NaN);
    const what = () => `${sent.idOf(row)}: ${amount} refused at seq ${seq} with highest ${highest}`;
    if (Number.isNaN(actual)) {
      // It may be a bid's whose client had no answer and which is not archived yet.
      if (drained || unheard === 0) offenders.add(`${what()}, a number that nobody has`);
      else open += 1;
    } else if (highest !== actual) offenders.add(`${what()}, which was ${actual}`);
    else if (actual === null ? amount >= auction.starting_price : amount - actual >= auction.min_increment) {
      offenders.add(`${what()}, which is enough`);
    }
  }
  const detail =
    "Each refused bid was under the highest amount at its number plus the minimum increment, and was told that amount. None was told of an end that had not come, or rejected for nothing.";
  if (offenders.count === 0 && open > 0) {
    return { name, outcome: "undecided", detail, counts: { checked, unsettled: open } };
  }
  return noneOfThem(name, offenders, { checked, detail });
}

/** That no bid has two numbers in the archive is looked at here, too: its own key should forbid it. */
function oneEffectPerBid(
  { contradicted, repeated, size }: SentBids,
  { archive }: BiddingEvidence,
): Invariant {
  const offenders = new Offenders();
  offenders.addAll(contradicted, ": answers differ");
  offenders.addAll(archive.repeated, ": archived twice, or no id");
  return noneOfThem("one-effect-per-bid", offenders, {
    checked: size,
    counts: { repeated_answers: repeated },
    detail: "The same bid again had the same answer, and is archived once at most.",
  });
}

/** 429 and 503 break nothing, one by one; an auction that answers nothing else is none. */
function enoughDecided(undecided: number, bids: number): Invariant {
  const detail =
    "At least half of the bids were decided in the end; the others were turned away, or had no answer and no effect.";
  const enough = bids > 0 && undecided <= bids * MOST_UNDECIDED;
  const counts = { undecided, bids };
  return { name: "enough-bids-were-decided", outcome: enough ? "held" : "undecided", detail, counts };
}

function enoughAccepted(accepted: number, bids: number): Invariant {
  const detail =
    "At least 10 % of the bids were accepted; where nearly all are refused, little was put to the test.";
  const enough = accepted > 0 && accepted >= bids * LEAST_ACCEPTED;
  const counts = { accepted, bids };
  return { name: "enough-bids-were-accepted", outcome: enough ? "held" : "undecided", detail, counts };
}

function publishedCheck({ sent, auction }: BiddingEvidence): Observation {
  let submitted = 0;
  for (let row = 0; row < sent.size; row += 1) submitted = Math.max(submitted, sent.at(row).amount ?? 0);
  return {
    name: "published-check",
    detail:
      "The study's whole check: the final price is the highest amount submitted. A bid that came too late, or within the increment, may be higher.",
    counts: { highest_submitted: submitted, final: auction.highest ?? 0 },
  };
}

function countTold(
  sent: SentBids,
): Record<"accepted" | "refused" | "ended" | "rejected" | "turned_away" | "unknown", number> {
  const counts = { accepted: 0, refused: 0, ended: 0, rejected: 0, turned_away: 0, unknown: 0 };
  const names: Readonly<Record<Told, keyof typeof counts>> = {
    accepted: "accepted",
    refused: "refused",
    ended: "ended",
    rejected: "rejected",
    "turned-away": "turned_away",
    unknown: "unknown",
  };
  for (let row = 0; row < sent.size; row += 1) counts[names[sent.at(row).told]] += 1;
  return counts;
}
