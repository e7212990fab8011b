/**
 * Bids on one auction by bidders who wait for an answer and bid again. Used by smoke, contention, atomicity and fan-out. Being outbid is an answer
 * like any other. A bid whose answer is missing, or says to come again, is sent again as it is, under its own id: so nobody bids
 * twice without knowing. Each attempt is recorded.
 *
 * By hand, on an auction that is there: k6 run -e BASE_URL=http://127.0.0.1:8081 -e RUN_ID=mine -e AUCTION=<its id>
 * -e CLOCK_BASE=$(date +%s)000 loadtests/bidding/bid.ts
 */

import { sleep } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import type { Options } from "k6/options";
import { record, timed } from "../lib/answers.ts";
import { amountAt, type BidBody, bidIds, readAnswer } from "../lib/bids.ts";
import { environment, required } from "../lib/environment.ts";
import { plannedLoad, scenariosOf, think, timeout } from "../lib/load.ts";

export { setup } from "../lib/load.ts";
export { handleSummary } from "../lib/summary.ts";

const { baseUrl, runId } = environment();
const auction = required("AUCTION");
/** Milliseconds since the epoch at which amounts begin to rise: the same for all. */
const clockBase = Number(required("CLOCK_BASE"));
const url = `${baseUrl}/auctions/${auction}/bids`;

const REQUEST_SECONDS = 30;
/** Of one bid. */
const MOST_ATTEMPTS = 8;
/** Seconds between two of them, at most. */
const LONGEST_PAUSE = 2;
/** A gateway that died, one that does not know what became of the bid, and one that waits for the archive. */
const AGAIN = [0, 502, 503, 504];
const steps = plannedLoad([
  { name: "load", begins: 0, seconds: 10, arrivals: { model: "closed", users: 20, think_seconds: 0 } },
]);

export const options: Options = {
  ...scenariosOf(steps, REQUEST_SECONDS + 1),
  summaryTrendStats: ["min", "med", "avg", "p(95)", "p(99)", "max"],
  // What is counted by: each further tag costs every user of ten thousand.
  systemTags: ["scenario"],
};
http.setResponseCallback(http.expectedStatuses(201, 409));

const idOf = bidIds(auction.replaceAll("-", "").slice(-11), __VU);
const bidder = `${runId}-${__VU}`;
/** Of this user, over all steps. */
let turn = 0;

export default function placeBid(): void {
  turn += 1;
  // Asked once: it takes k6 as long as a tenth of a request.
  const step = exec.scenario.name;
  const amount = amountAt(Date.now() - clockBase);
  const bid: BidBody = { bid_id: idOf(turn), bidder_id: bidder, amount };
  const body = JSON.stringify(bid);
  const params = {
    headers: { "content-type": "application/json" },
    timeout: timeout(steps, REQUEST_SECONDS, step),
  };
  for (let attempt = 1; ; attempt += 1) {
    const answer = timed(() => http.post(url, body, params));
    const { status, body: text } = answer.response;
    record("bid", bid.bid_id, answer, { ...readAnswer(status, text), amount, bidder }, step);
    if (!AGAIN.includes(status) || attempt === MOST_ATTEMPTS) break;
    sleep(pauseAfter(attempt));
  }
  think(steps, step);
}

/** Seconds: doubled each time, and never the same for all who were sent away together. */
function pauseAfter(attempt: number): number {
  return Math.min(LONGEST_PAUSE, 0.1 * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}
