/**
 * Runs of implementations that are wrong as implementations are, and the cases between held and broken. What each invariant finds
 * is in bidding-corruptions.test.ts.
 */

import t from "tap";
import { seededRandom } from "../../src/models/seeded-random.ts";
import { judgeBidding } from "../../src/verdicts/bidding-conservation.ts";
import type { BidAnswer } from "../../src/verdicts/bidding-sent.ts";
import type { Outcome } from "../../src/verdicts/verdict.ts";
import { evidenceOf, type Story, simulateAuction, uuid } from "./simulated-auction.ts";

function outcomesOf(story: Story): Record<string, Outcome> {
  const { outcome, invariants } = judgeBidding(evidenceOf(story));
  return { verdict: outcome, ...Object.fromEntries(invariants.map((each) => [each.name, each.outcome])) };
}

/**
 * A gateway that reads, compares and writes in three steps, as without a script: `together` bidders at a time find the same state. Its
 * own books agree with each other, and its final price is the highest one submitted.
 */
function withoutAtomicity(seed: number, together: number): Story {
  const random = seededRandom(seed);
  const story = simulateAuction(seed, { bids: 0, late: 0, startingPrice: 100, minIncrement: 10 });
  const { answers, archive, auction } = story;
  for (let round = 0; round < 40; round += 1) {
    const { seq, highest } = auction;
    for (let one = 0; one < together; one += 1) {
      // Each is higher than the one before, as is what is written last.
      const amount = (highest ?? 90) + 10 * (one + 1);
      const id = uuid(random);
      const at = 1000 + round * 10;
      answers.push({
        at,
        wall_ms: 9,
        ms: 8,
        status: 201,
        id,
        amount,
        bidder: "b",
        seq: seq + 1,
        answered_id: id,
        answered_amount: amount,
      } satisfies BidAnswer);
      Object.assign(auction, { seq: seq + 1, highest: amount, bid_id: id, bidder_id: "b" });
      archive.push({ seq: seq + 1, bid_id: id, bidder_id: "b", amount });
    }
  }
  for (const watcher of story.live.watchers)
    Object.assign(watcher, { seq: auction.seq, highest: auction.highest });
  story.live.prices.clear();
  story.live.bidders.clear();
  story.requests = answers.length;
  return story;
}

t.test("lost updates pass the published check, and not this one", async (t) => {
  const story = withoutAtomicity(1, 2);
  const { outcome, observations, invariants } = judgeBidding(evidenceOf(story));
  const { counts } = observations.find(({ name }) => name === "published-check") ?? {};
  t.equal(counts?.highest_submitted, counts?.final, "the published check would be passed");
  t.equal(outcome, "broken");
  const gapless = invariants.find(({ name }) => name === "accepted-numbers-are-gapless");
  t.match(gapless, { outcome: "broken", counts: { offending: 40 } }, "one lost update a round");
  t.equal(outcomesOf(withoutAtomicity(1, 1)).verdict, "held", "one at a time, it is right");
});

t.test("no work is never held", async (t) => {
  t.equal(outcomesOf(simulateAuction(1, { bids: 0, late: 0 })).verdict, "undecided");
  t.equal(outcomesOf(simulateAuction(1, { bids: 0, late: 20 })).verdict, "undecided");
});

t.test("a service that answers nothing but errors is undecided", async (t) => {
  const story = simulateAuction(1, { bids: 50 });
  story.answers = story.answers.map(({ seq, highest, ...answer }) => ({ ...answer, status: 503 }));
  story.archive = [];
  Object.assign(story.auction, { seq: 0, highest: null, bid_id: null, bidder_id: null });
  for (const watcher of story.live.watchers) Object.assign(watcher, { seq: 0, highest: null });
  t.match(outcomesOf(story), { verdict: "undecided", "accepted-numbers-are-gapless": "undecided" });
});

t.test("with more than half turned away for good, what the others were told is not enough", async (t) => {
  const turnedAway = (status: number, share: number) => {
    const story = simulateAuction(1, { bids: 100, lost: 0, late: 0 });
    const random = seededRandom(2);
    const turned = (): BidAnswer => ({ ...story.answers[0], status, id: uuid(random) }) as BidAnswer;
    const more = Array.from({ length: share * 100 }, turned);
    story.requests = story.answers.push(...more);
    return outcomesOf(story);
  };
  for (const status of [429, 503]) {
    t.match(turnedAway(status, 1), { verdict: "held", "enough-bids-were-decided": "held" });
    const outcomes = turnedAway(status, 1.01);
    t.same(
      Object.keys(outcomes).filter((name) => outcomes[name] !== "held"),
      ["verdict", "enough-bids-were-decided"],
    );
    t.equal(outcomes.verdict, "undecided");
  }
});

t.test("with fewer than one in ten accepted, little was put to the test", async (t) => {
  const story = simulateAuction(1, { bids: 100, lost: 0, late: 0 });
  const refusal = story.answers.findLast(({ status }) => status === 409);
  const random = seededRandom(2);
  const more = Array.from(
    { length: 9 * story.archive.length },
    () => ({ ...refusal, id: uuid(random) }) as BidAnswer,
  );
  story.requests = story.answers.push(...more);
  const outcomes = outcomesOf(story);
  t.match(outcomes, { verdict: "undecided", "enough-bids-were-accepted": "undecided" });
  t.same(
    Object.keys(outcomes).filter((name) => outcomes[name] !== "held"),
    ["verdict", "enough-bids-were-accepted"],
  );
});

t.test("a bid whose client had no answer may be archived, and is counted", async (t) => {
  const story = simulateAuction(5, { lost: 0 });
  const lost = story.answers.find(
    ({ status, seq }) => status === 201 && seq === 20,
  ) as Story["answers"][number];
  story.answers = story.answers.filter((each) => each === lost || each.id !== lost.id);
  Object.assign(lost, { status: 0, seq: undefined });
  story.requests = story.answers.length;
  const verdict = judgeBidding(evidenceOf(story));
  t.equal(verdict.outcome, "held");
  t.match(
    verdict.observations.find(({ name }) => name === "surplus"),
    { counts: { surplus: 1, without_effect: 0 } },
  );
});

t.test("what has not come to the archive yet is undecided, until it had the time", async (t) => {
  const late = simulateAuction(6, { lost: 0, late: 0 });
  late.archive = late.archive.slice(3);
  late.drained = false;
  t.match(outcomesOf(late), {
    verdict: "undecided",
    "archive-is-what-was-accepted": "undecided",
    "highest-is-the-same-everywhere": "undecided",
    "accepted-numbers-are-gapless": "held",
  });
  late.drained = true;
  t.match(outcomesOf(late), {
    verdict: "broken",
    "archive-is-what-was-accepted": "broken",
    "highest-is-the-same-everywhere": "broken",
  });
});

t.test(
  "a gap may be a bid that nobody had an answer to, as long as the archive is not complete",
  async (t) => {
    const story = simulateAuction(7, { lost: 0, late: 0 });
    const lost = story.answers.find(
      ({ status, seq }) => status === 201 && seq === 20,
    ) as Story["answers"][number];
    story.answers = story.answers.filter((each) => each === lost || each.id !== lost.id);
    story.requests = story.answers.length;
    Object.assign(lost, { status: 503, seq: undefined });
    story.archive = story.archive.filter(({ seq }) => seq !== 20);
    story.drained = false;
    t.match(outcomesOf(story), { "accepted-numbers-are-gapless": "undecided", verdict: "undecided" });
    const known = story.answers.find(
      ({ status, seq }) => status === 201 && seq === 40,
    ) as Story["answers"][number];
    const without = { ...story, answers: story.answers.filter(({ id }) => id !== known.id) };
    without.archive = story.archive.filter(({ seq }) => seq !== 40);
    without.requests = without.answers.length;
    t.match(
      outcomesOf(without),
      { "accepted-numbers-are-gapless": "broken" },
      "two numbers cannot be one bid's",
    );
    // And a number that is told twice will not be mended by waiting.
    const other = story.answers.find(
      ({ status, seq }) => status === 201 && seq === 30,
    ) as Story["answers"][number];
    other.seq = 29;
    t.match(outcomesOf(story), { "accepted-numbers-are-gapless": "broken", verdict: "broken" });
  },
);

t.test("a clock that was set back proves no disorder", async (t) => {
  const story = simulateAuction(8, { lost: 0 });
  const early = story.answers.find(
    ({ status, seq }) => status === 201 && seq === 5,
  ) as Story["answers"][number];
  early.at += 500;
  t.match(outcomesOf(story), { "numbers-keep-to-the-clock": "broken" });
  Object.assign(story.answers[0] as object, { wall_ms: 0, ms: 300 });
  t.match(outcomesOf(story), { "numbers-keep-to-the-clock": "undecided" });
  early.at -= 500;
  t.match(
    outcomesOf(story),
    { "numbers-keep-to-the-clock": "held" },
    "there is none that it would have to explain",
  );
});

t.test("answers within the clocks' millisecond prove no disorder", async (t) => {
  const story = simulateAuction(9, { lost: 0, bids: 60, late: 0 });
  const of = (number: number) => story.answers.filter(({ status, seq }) => status === 201 && seq === number);
  for (const answer of of(11)) Object.assign(answer, { at: 5000, wall_ms: 3, ms: 3 });
  const others = story.answers.filter((each) => !of(11).includes(each));
  for (const answer of others) Object.assign(answer, { at: 5004, wall_ms: 50, ms: 50 });
  t.match(outcomesOf(story), { "numbers-keep-to-the-clock": "held" });
  for (const answer of others) answer.at = 5005;
  t.match(outcomesOf(story), { "numbers-keep-to-the-clock": "broken" });
});

t.test("a refusal comes after the bid with its number, and before the next one", async (t) => {
  const outcome = (sent: (times: { readonly bid: number; readonly next: number }) => number) => {
    const story = simulateAuction(10, { lost: 0, late: 0 });
    const find = (status: number, seq: number) =>
      story.answers.find((each) => each.status === status && each.seq === seq) as Story["answers"][number];
    const refused = story.answers.find(
      ({ status, seq = 0 }) => status === 409 && seq > 20,
    ) as Story["answers"][number];
    const [bid, next] = [find(201, refused.seq ?? 0), find(201, (refused.seq ?? 0) + 1)];
    Object.assign(bid, { at: 10_000, wall_ms: 5, ms: 5 });
    Object.assign(next, { at: 20_000, wall_ms: 5, ms: 5 });
    // All others were under way all the time.
    for (const each of story.answers) {
      if (each !== bid && each !== next) Object.assign(each, { at: 0, wall_ms: 90_000, ms: 90_000 });
    }
    Object.assign(refused, { at: sent({ bid: bid.at, next: next.at }), wall_ms: 5, ms: 5 });
    return outcomesOf(story)["numbers-keep-to-the-clock"];
  };
  t.equal(
    outcome(({ bid }) => bid - 100),
    "broken",
  );
  t.equal(
    outcome(({ bid }) => bid + 100),
    "held",
  );
  t.equal(
    outcome(({ next }) => next + 100),
    "broken",
  );
});

t.test("an archive that is ahead of Redis will not be caught up with", async (t) => {
  const story = simulateAuction(11, { lost: 0, late: 0 });
  const bid = { bid_id: uuid(seededRandom(1)), bidder_id: "b", amount: (story.auction.highest ?? 0) + 10 };
  story.archive.push({ ...bid, seq: story.auction.seq + 1 });
  story.drained = false;
  t.match(outcomesOf(story), { "highest-is-the-same-everywhere": "broken" });
});

t.test("where nobody was refused, there is no refusal to judge", async (t) => {
  const story = withoutAtomicity(3, 1);
  t.notOk("refusals-were-right" in outcomesOf(story));
});
