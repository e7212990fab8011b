/** Redis, the archive and the clients tell the same story: the same highest bid, and the same set of accepted ones. */

import type { BiddingEvidence } from "./bidding-evidence.ts";
import type { Numbers } from "./bidding-numbers.ts";
import { noneOfThem, Offenders } from "./offenders.ts";
import type { Invariant } from "./verdict.ts";

const NOT_DRAINED = "The archive was not complete when the time to settle was over.";

interface Top {
  readonly seq: number;
  readonly amount: number | null;
  readonly bid: string | null;
}

/** Redis's highest bid = the highest that was accepted = the archive's. */
export function highestIsTheSame(numbers: Numbers, evidence: BiddingEvidence): Invariant {
  const { auction, sent, drained } = evidence;
  const name = "highest-is-the-same-everywhere";
  const detail = "The highest bid in Redis is the highest that was accepted, and the highest in the archive.";
  const redis: Top = { seq: auction.seq, amount: auction.highest, bid: auction.bid_id };
  const clients = topOfClients(numbers, evidence);
  const archive = topOfArchive(evidence);
  const [hard, soft] = [new Offenders(), new Offenders()];
  const tell = (who: string, top: Top) =>
    `${who}: seq ${top.seq}, ${top.amount}, bid ${top.bid}; Redis: seq ${redis.seq}, ${redis.amount}, bid ${redis.bid}`;
  // What is behind Redis may catch up; what is before it, or other than it, may not.
  if (!sameTop(clients, redis)) {
    const behind = !drained && clients.seq < redis.seq && numbers.unheard > 0;
    (behind ? soft : hard).add(tell("clients", clients));
  }
  if (!sameTop(archive, redis))
    (!drained && archive.seq < redis.seq ? soft : hard).add(tell("archive", archive));
  if (redis.bid !== null) {
    const row = sent.rowOf(redis.bid);
    const bidder = row === undefined ? undefined : sent.at(row).bidder;
    if (bidder !== auction.bidder_id)
      hard.add(`Redis has bidder ${auction.bidder_id} for bid ${redis.bid} of ${bidder}`);
  }
  const checked = numbers.told + numbers.surplus;
  if (hard.count === 0 && soft.count > 0) {
    return {
      name,
      outcome: "undecided",
      detail: `${detail} ${NOT_DRAINED}`,
      counts: { checked },
      examples: soft.first,
    };
  }
  return noneOfThem(name, hard, { checked, detail });
}

/** Archive = accepted, in both directions and in every field. */
export function archivedIsAccepted(numbers: Numbers, evidence: BiddingEvidence): Invariant {
  const { sent, archive, drained } = evidence;
  const name = "archive-is-what-was-accepted";
  const detail =
    "The archive has each bid that was accepted, with its number, amount and bidder, and none that was not, but for bids whose clients had no answer.";
  const [offenders, missing] = [new Offenders(), new Offenders()];
  let accepted = 0;
  for (let row = 0; row < sent.size; row += 1) {
    const bid = sent.at(row);
    if (bid.told !== "accepted") continue;
    accepted += 1;
    if (sent.ids.indexIn(archive.ids, row) === undefined)
      missing.add(`${sent.idOf(row)}: seq ${bid.seq} is not archived`);
  }
  for (let at = 0; at < archive.size; at += 1) {
    const { seq, amount, bidder_id } = archive.at(at);
    const row = archive.ids.indexIn(sent.ids, at);
    const bid = row === undefined ? undefined : sent.at(row);
    const what = () => `${archive.idOf(at)}: archived as seq ${seq}, ${amount} by ${bidder_id}`;
    if (bid === undefined) offenders.add(`${what()}, and never sent`);
    else if (bid.told !== "accepted" && bid.told !== "unknown")
      offenders.add(`${what()}, and its client was told "${bid.told}"`);
    else if (bid.told === "accepted" && bid.seq !== seq)
      offenders.add(`${what()}, and accepted as seq ${bid.seq}`);
    else if (bid.amount !== undefined && (bid.amount !== amount || bid.bidder !== bidder_id)) {
      offenders.add(`${what()}, and sent as ${bid.amount} by ${bid.bidder}`);
    }
  }
  const counts = { archived: archive.size, surplus: numbers.surplus, missing: missing.count };
  if (offenders.count === 0 && missing.count > 0 && !drained) {
    const told = { name, detail: `${detail} ${NOT_DRAINED}`, counts: { checked: accepted, ...counts } };
    return { ...told, outcome: "undecided", examples: missing.first };
  }
  offenders.addAll(missing);
  return noneOfThem(name, offenders, { checked: accepted + numbers.surplus, counts, detail });
}

/** Of amounts, not of numbers: that both mean the same bid is part of what is checked. */
function topOfClients({ last, amounts, rows }: Numbers, { sent }: BiddingEvidence): Top {
  let top = 0;
  for (let seq = 1; seq <= last; seq += 1) {
    const amount = amounts[seq] as number;
    if (!Number.isNaN(amount) && (top === 0 || amount > (amounts[top] as number))) top = seq;
  }
  if (top === 0) return { seq: 0, amount: null, bid: null };
  return { seq: top, amount: amounts[top] as number, bid: sent.idOf(rows[top] as number) };
}

function topOfArchive({ archive }: BiddingEvidence): Top {
  let top: number | undefined;
  for (let row = 0; row < archive.size; row += 1) {
    if (top === undefined || archive.at(row).amount > archive.at(top).amount) top = row;
  }
  if (top === undefined) return { seq: 0, amount: null, bid: null };
  const { seq, amount } = archive.at(top);
  return { seq, amount, bid: archive.idOf(top) };
}

function sameTop(one: Top, other: Top): boolean {
  return (
    one.seq === other.seq && one.amount === other.amount && one.bid === (other.bid?.toLowerCase() ?? null)
  );
}
