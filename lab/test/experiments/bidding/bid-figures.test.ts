/** What became of the bids of a run: counted in the measured steps, and judged over all. */

import { randomUUID } from "node:crypto";
import t from "tap";
import { bidFindings } from "../../../src/experiments/bidding/bid-figures.ts";
import { schedule } from "../../../src/experiments/load-schedule.ts";
import { SentBids } from "../../../src/verdicts/bidding-sent.ts";
import { noneOf, verdictOf } from "../../../src/verdicts/verdict.ts";

const BEGAN = 1_763_706_000_000;
const arrivals = { model: "closed", users: 1, think_seconds: 0 } as const;
const steps = schedule([
  { name: "warm-up", kind: "warm-up", arrivals, seconds: 3 },
  { name: "load", kind: "measured", arrivals, seconds: 10 },
]);
const run = { steps, loadBegan: BEGAN };

function told(sent: SentBids, second: number, answer: { status: number; seq?: number; highest?: number }) {
  const id = randomUUID();
  sent.add({
    at: BEGAN + second * 1000,
    wall_ms: 5,
    ms: 5,
    id,
    amount: 1,
    bidder: "b",
    ...answer,
    ...(answer.status === 201 && { answered_id: id, answered_amount: 1 }),
  });
}

const verdictWith = (gaps: readonly string[], falls: readonly string[], checked = 5) =>
  verdictOf([
    noneOf("accepted-numbers-are-gapless", gaps, { checked, detail: "" }),
    noneOf("accepted-amounts-rise", falls, { checked, detail: "" }),
  ]);

t.test("a warm-up's bids are not counted, and each of the others is in one place", async (t) => {
  const sent = new SentBids();
  told(sent, 1, { status: 201, seq: 1 });
  told(sent, 3, { status: 201, seq: 2 });
  told(sent, 4, { status: 409, seq: 2, highest: 5 });
  told(sent, 12.9, { status: 409, seq: 2, highest: 5 });
  told(sent, 5, { status: 503 });
  told(sent, 13.1, { status: 201, seq: 3 });
  t.same(bidFindings({ sent, verdict: verdictWith([], []) }, run), {
    bids: 4,
    accepted: 1,
    refused: 2,
    unanswered: 1,
    accepted_per_s: 0.1,
    accepted_percent: 25,
    repeated_answers: 0,
    busy_answers: 1,
    lost_updates: 0,
  });
});

t.test(
  "an update is lost where two bids have a number or an amount falls, and not known to be where nothing was checked",
  async (t) => {
    const sent = new SentBids();
    const lost = (...verdict: Parameters<typeof verdictWith>) =>
      bidFindings({ sent, verdict: verdictWith(...verdict) }, run).lost_updates;
    t.equal(lost(["seq 3"], []), 1);
    t.equal(lost([], ["seq 4", "seq 5"]), 2);
    const undecided = bidFindings({ sent, verdict: verdictWith([], [], 0) }, run);
    t.notOk("lost_updates" in undecided);
    t.equal(undecided.accepted_percent, 0);
  },
);
