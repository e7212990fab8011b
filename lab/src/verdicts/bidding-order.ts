/**
 * Whether the numbers agree with the clock of the clients: no bid has a number before one that had been answered when it was sent. With
 * gapless numbers and right refusals, this is linearizability, in O(n log n).
 *
 * Clocks are cut to whole milliseconds, and an answer may have been in up to one later than it says: only what is certain counts.
 */

import { checkNumbered } from "@parallax/linearizability";
import type { Numbers } from "./bidding-numbers.ts";
import type { SentBids } from "./bidding-sent.ts";
import type { Invariant } from "./verdict.ts";
import { noneOf } from "./verdict.ts";

export function keepsToTheClock({ last, rows }: Numbers, sent: SentBids): Invariant {
  const name = "numbers-keep-to-the-clock";
  const detail =
    "What was answered before another bid was sent comes before it: no later bid has a lower number, by the clients' clock.";
  const numbered: number[] = [];
  const numbers: number[] = [];
  for (let seq = 1; seq <= last; seq += 1) {
    const row = rows[seq] as number;
    if (row === -1) continue;
    numbered.push(row);
    numbers.push(seq);
  }
  for (let row = 0; row < sent.size; row += 1) {
    const { told, seq } = sent.at(row);
    if (told !== "refused" && told !== "ended") continue;
    numbered.push(row);
    // A refusal comes after the bid with its number and before the next; the end comes after all bids.
    numbers.push(told === "refused" ? seq + 0.5 : last + 1);
  }
  const { checked, violations, examples } = checkNumbered({
    numbers,
    began: Float64Array.from(numbered, (row) => sent.at(row).began),
    ended: Float64Array.from(numbered, (row) => sent.at(row).ended),
  });
  const named = (at: number) => `${sent.idOf(numbered[at] as number)} (place ${numbers[at]})`;
  if (violations > 0 && sent.clockWasSetBack) {
    const why = "The clock of the clients was set back during the run, and tells no order.";
    return {
      name,
      outcome: "undecided",
      detail: `${detail} ${why}`,
      counts: { checked, offending: violations },
    };
  }
  return noneOf(
    name,
    examples.map(({ early, late }) => `${named(early)} was answered before ${named(late)} was sent`),
    { checked, counts: { offending: violations }, detail },
  );
}
