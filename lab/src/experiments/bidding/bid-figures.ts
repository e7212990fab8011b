/** What became of the bids of a run, as numbers. */

import type { Verdict } from "../../verdicts/verdict.ts";
import type { FinishedLoad } from "../experiment.ts";
import type { JudgedBids } from "./observe-bidding.ts";

/** Of the measured steps; bids whose client never had a definite answer are `unanswered`. Repeated answers are those of the whole run. */
export function bidFindings(
  { sent, verdict }: JudgedBids,
  { steps, loadBegan }: Pick<FinishedLoad, "steps" | "loadBegan">,
): Record<string, number> {
  const measured = steps.filter(({ kind }) => kind === "measured");
  const within = (began: number) =>
    measured.some(({ begins, seconds }) => {
      const into = (began - loadBegan) / 1000 - begins;
      return into >= 0 && into < seconds;
    });
  let [bids, accepted, refused, unanswered] = [0, 0, 0, 0];
  for (let row = 0; row < sent.size; row += 1) {
    const { told, began } = sent.at(row);
    if (!within(began)) continue;
    bids += 1;
    if (told === "accepted") accepted += 1;
    if (told === "refused") refused += 1;
    if (told === "unknown") unanswered += 1;
  }
  const seconds = measured.reduce((sum, each) => sum + each.seconds, 0);
  const lost = lostUpdates(verdict);
  return {
    bids,
    accepted,
    refused,
    unanswered,
    accepted_per_s: accepted / seconds,
    accepted_percent: bids === 0 ? 0 : (100 * accepted) / bids,
    repeated_answers: sent.repeated,
    busy_answers: sent.statuses.get(503) ?? 0,
    ...(lost !== undefined && { lost_updates: lost }),
  };
}

/**
 * Of two bids that both took effect, one has overwritten the other: they were given one number, or a number is nobody's, or the later
 * amount is not above the earlier one. Undefined where it is not known.
 */
function lostUpdates({ invariants }: Verdict): number | undefined {
  let lost = 0;
  for (const wanted of ["accepted-numbers-are-gapless", "accepted-amounts-rise"]) {
    const { outcome, counts } = invariants.find(({ name }) => name === wanted) ?? {};
    if (outcome === undefined || outcome === "undecided") return undefined;
    lost += counts?.offending ?? 0;
  }
  return lost;
}
