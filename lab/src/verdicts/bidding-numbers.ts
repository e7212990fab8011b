/**
 * The auction told again by its numbers: which bid has each, by what clients were told. Where no client was told, the archive may
 * know, but only of bids whose clients had no answer.
 */

import type { BiddingEvidence } from "./bidding-evidence.ts";
import { Offenders } from "./offenders.ts";

export interface Numbers {
  /** The highest number that anyone told of. */
  readonly last: number;
  /** By number, from 1: the amount of the bid that has it; NaN where nobody knows. */
  readonly amounts: Float64Array;
  /** The same: the row in `sent`; -1 where nobody knows. */
  readonly rows: Int32Array;
  /** Numbers by which clients were told that they had been accepted. */
  readonly told: number;
  /** Bids that the archive has and whose clients had no answer: they are not wrong, and they have numbers. */
  readonly surplus: number;
  /** Bids whose clients had no answer and which the archive does not have. */
  readonly unheard: number;
  /** Numbers that two bids were told. */
  readonly doubled: Offenders;
  /** Numbers that are higher than there are bids. */
  readonly impossible: Offenders;
  /** Numbers that are nobody's. */
  readonly missing: Offenders;
}

export function numbersOf({ sent, archive, auction }: BiddingEvidence): Numbers {
  // Each number is a bid's: what is higher than this is a mistake, and no reason to take memory for.
  const most = sent.size + archive.size;
  const amounts = new Float64Array(most + 1).fill(Number.NaN);
  const rows = new Int32Array(most + 1).fill(-1);
  const [doubled, impossible] = [new Offenders(), new Offenders()];
  let [last, told, surplus, unknown] = [Math.min(auction.seq, most), 0, 0, 0];
  if (auction.seq > most) impossible.add(`seq ${auction.seq} of the auction, with ${most} bids in all`);
  const give = (seq: number, row: number, amount = Number.NaN): boolean => {
    if (!(Number.isInteger(seq) && seq >= 1 && seq <= most)) {
      impossible.add(`seq ${seq} of bid ${sent.idOf(row)}, with ${most} bids in all`);
      return false;
    }
    last = Math.max(last, seq);
    if (rows[seq] !== -1) {
      doubled.add(`seq ${seq}: bids ${sent.idOf(rows[seq] as number)} and ${sent.idOf(row)}`);
      return false;
    }
    rows[seq] = row;
    amounts[seq] = amount;
    return true;
  };
  for (let row = 0; row < sent.size; row += 1) {
    const bid = sent.at(row);
    if (bid.told === "unknown") unknown += 1;
    if (bid.told === "accepted" && give(bid.seq, row, bid.amount)) told += 1;
  }
  for (let at = 0; at < archive.size; at += 1) {
    const { seq, amount } = archive.at(at);
    if (seq >= 1 && seq <= most) last = Math.max(last, seq);
    const row = archive.ids.indexIn(sent.ids, at);
    if (row === undefined || sent.at(row).told !== "unknown") continue;
    if (give(seq, row, amount)) surplus += 1;
  }
  const missing = new Offenders();
  for (let seq = 1; seq <= last; seq += 1) if (rows[seq] === -1) missing.add(`seq ${seq}`);
  const unheard = unknown - surplus;
  return { last, amounts, rows, told, surplus, unheard, doubled, impossible, missing };
}
