/** Live subscribers: they end equal to Redis, their numbers never go back, and no price they saw was another than the bid's. */

import type { BiddingEvidence } from "./bidding-evidence.ts";
import type { Numbers } from "./bidding-numbers.ts";
import { Offenders } from "./offenders.ts";
import { type Invariant, noneOf } from "./verdict.ts";

export function liveEndsEqual({ amounts }: Numbers, { live, auction, drained }: BiddingEvidence): Invariant {
  const { watchers, prices, disputed } = live;
  const name = "live-subscribers-end-equal";
  const detail =
    "Each live subscriber ends with Redis's number and amount, never went back, and saw no price but that of the bid with its number.";
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
  for (const seq of disputed) offenders.add(`two amounts were shown for seq ${seq}`);
  for (const [seq, price] of prices) {
    const actual = seq === 0 ? null : (amounts[seq] ?? Number.NaN);
    // A number that nobody has is the matter of those that look for gaps.
    if (!Number.isNaN(actual) && price !== actual)
      offenders.add(`${price} was shown for seq ${seq}, which was ${actual}`);
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
