/** Live subscribers: they end equal to Redis, their numbers never go back, and no price or bidder they saw was another than the bid's. */

import type { BiddingEvidence } from "./bidding-evidence.ts";
import type { Numbers } from "./bidding-numbers.ts";
import { Offenders } from "./offenders.ts";
import { type Invariant, noneOf } from "./verdict.ts";

export function liveEndsEqual({ amounts }: Numbers, evidence: BiddingEvidence): Invariant {
  const { live, auction, archive, drained } = evidence;
  const { watchers, prices, bidders, disputed } = live;
  const name = "live-subscribers-end-equal";
  const detail =
    "Each live subscriber ends with Redis's number and amount, never went back, and saw no price and no bidder but those of the bid with its number.";
  const offenders = new Offenders();
  let [away, late] = [0, 0];
  for (const { name: who, connected, seq, highest, wentBack, unreadable, ended } of watchers) {
    const what = `${who}: seq ${seq}, ${highest}`;
    if (unreadable > 0) offenders.add(`${who} was told ${unreadable} things that cannot be read`);
    else if (wentBack > 0) offenders.add(`${who} went back ${wentBack} times`);
    else if (seq !== undefined && seq > auction.seq) offenders.add(`${what}, and Redis has ${auction.seq}`);
    else if ((!connected && !ended) || seq === undefined) away += 1;
    else if (seq === auction.seq && highest !== auction.highest)
      offenders.add(`${what}, and Redis has ${auction.highest}`);
    else if (seq < auction.seq && drained) offenders.add(`${what}, and Redis has seq ${auction.seq}`);
    else if (seq < auction.seq) late += 1;
  }
  for (const seq of disputed) offenders.add(`two amounts or bidders were shown for seq ${seq}`);
  for (const [seq, price] of prices) {
    const actual = seq === 0 ? null : (amounts[seq] ?? Number.NaN);
    // A number that nobody has is the matter of those that look for gaps.
    if (!Number.isNaN(actual) && price !== actual)
      offenders.add(`${price} was shown for seq ${seq}, which was ${actual}`);
  }
  if (bidders.has(0) && bidders.get(0) !== null)
    offenders.add(`${bidders.get(0)} was shown for seq 0, which is nobody's`);
  for (let row = 0; row < archive.size; row += 1) {
    const { seq, bidder_id } = archive.at(row);
    const shown = bidders.get(seq);
    if (shown !== undefined && shown !== bidder_id)
      offenders.add(`${shown} was shown for seq ${seq}, which is archived as ${bidder_id}'s`);
  }
  const counts = { prices_seen: prices.size, not_connected: away };
  if (offenders.count === 0 && away + late > 0) {
    const why =
      away > 0 ? "Not all were connected in the end." : "The time to settle was over before all were there.";
    return {
      name,
      outcome: "undecided",
      detail: `${detail} ${why}`,
      counts: { checked: watchers.length, ...counts },
    };
  }
  return noneOf(name, offenders.first, {
    checked: watchers.length,
    counts: { offending: offenders.count, ...counts },
    detail,
  });
}
