/**
 * Every bid that clients sent, and what they were told: one row a bid, into which repeated answers are folded.
 *
 * - **accepted**, **refused**, **ended**: 201, 409, 410.
 * - **rejected**: 400, 404 or 422, an answer about this bid that gives it no effect.
 * - **turned away**: another 4xx, such as 429: no effect, and a later attempt may have another answer.
 * - **unknown**: no answer, 5xx, anything else. The bid may have taken effect or not, or may still do so.
 *
 * From first sending a bid to its first definite answer is the time in which it took effect.
 */

import { Columns, Texts } from "./columns.ts";
import { Offenders } from "./offenders.ts";
import { UuidTable } from "./uuid-table.ts";

/** In the order in which a later answer outweighs an earlier one. */
export const TOLD = ["turned-away", "unknown", "rejected", "ended", "refused", "accepted"] as const;
export type Told = (typeof TOLD)[number];

/** One answer to one attempt. */
export interface BidAnswer {
  /** Milliseconds since the epoch, when the request was begun; whole ones. */
  readonly at: number;
  /** Whole milliseconds on the same clock until the answer was in. */
  readonly wall_ms: number;
  /** Milliseconds that the request took by a clock that is never set. */
  readonly ms: number;
  /** HTTP status; 0: no answer. */
  readonly status: number;
  /** The bid's id, a UUID. */
  readonly id: string;
  readonly amount: number;
  readonly bidder: string;
  /** Of 201 and 409. */
  readonly seq?: number | undefined;
  /** Of 409. */
  readonly highest?: number | null | undefined;
  /** The id and the amount that a 201 names. */
  readonly answered_id?: string | undefined;
  readonly answered_amount?: number | undefined;
}

/** What a bid came to by its client's knowledge. */
export interface SentBid {
  readonly told: Told;
  /** Undefined where different bids were sent under this id and no answer tells which one it is. */
  readonly amount: number | undefined;
  readonly bidder: string;
  /** Of an accepted or refused bid. */
  readonly seq: number;
  /** Of a refused bid. */
  readonly highest: number | null;
  /** Milliseconds since the epoch. */
  readonly began: number;
  /** Infinity without a definite answer. */
  readonly ended: number;
}

/** A row of numbers; a missing one is NaN. */
type Row = Record<(typeof COLUMNS)[number], number>;
const COLUMNS = ["told", "amount", "bidder", "seq", "highest", "began", "ended"] as const;

const UNKNOWN = TOLD.indexOf("unknown");
const REJECTED = TOLD.indexOf("rejected");
const REFUSED = TOLD.indexOf("refused");
const ACCEPTED = TOLD.indexOf("accepted");

/** What the clocks' milliseconds, cut to whole ones, may hide. */
const CLOCK_MS = 1;

export class SentBids {
  /** Their rows. */
  readonly ids = new UuidTable();
  readonly #bidders = new Texts();
  readonly #rows = new Columns(COLUMNS);
  /** Bids whose repeated answers differ. */
  readonly contradicted = new Offenders();
  /** Answers that lack what they have to say, or that name another bid or amount. */
  readonly malformed = new Offenders();
  /** Answers by HTTP status. */
  readonly statuses = new Map<number, number>();
  /** Answers to bids that had one before. */
  repeated = 0;
  /** A request took longer than the clock on the wall says: it was set back, and tells no order. */
  clockWasSetBack = false;

  /** Bids, each counted once. */
  get size(): number {
    return this.#rows.rows;
  }

  /** @returns whether it could be read: what has no UUID is none of ours */
  add(answer: BidAnswer): boolean {
    const rows = this.#rows.rows;
    const row = this.ids.add(answer.id);
    if (row === undefined) return false;
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1);
    if (answer.wall_ms < answer.ms * 0.999 - 2 * CLOCK_MS) this.clockWasSetBack = true;
    const next = this.#read(answer);
    if (row === rows) this.#rows.add(next);
    else {
      this.repeated += 1;
      this.#fold(row, next);
    }
    return true;
  }

  at(row: number): SentBid {
    const { told, amount, bidder, seq, highest, began, ended } = this.#row(row);
    return {
      told: TOLD[told] as Told,
      amount: Number.isNaN(amount) ? undefined : amount,
      bidder: this.#bidders.at(bidder),
      seq,
      highest: Number.isNaN(highest) ? null : highest,
      began,
      ended,
    };
  }

  idOf(row: number): string {
    return this.ids.at(row);
  }

  rowOf(id: string): number | undefined {
    return this.ids.indexOf(id);
  }

  #read(answer: BidAnswer): Row {
    const { at, wall_ms, amount, seq, highest } = answer;
    let told: number = toldBy(answer.status);
    if (told >= REFUSED && !saysWhatItMust(answer)) {
      this.malformed.add(`${answer.id}: ${answer.status}`);
      told = UNKNOWN;
    }
    return {
      told,
      amount,
      bidder: this.#bidders.numberOf(answer.bidder),
      seq: told >= REFUSED ? (seq ?? Number.NaN) : Number.NaN,
      highest: told === REFUSED ? (highest ?? Number.NaN) : Number.NaN,
      began: at,
      ended: told >= REJECTED ? at + wall_ms + CLOCK_MS : Number.POSITIVE_INFINITY,
    };
  }

  #fold(row: number, next: Row): void {
    const before = this.#row(row);
    const rows = this.#rows;
    if (before.amount !== next.amount || before.bidder !== next.bidder) {
      this.#foldOther(row, before, next);
      return;
    }
    if (before.told >= REJECTED && next.told >= REJECTED && !sameAnswer(before, next)) {
      this.contradicted.add(this.idOf(row));
    }
    rows.set("began", row, Math.min(before.began, next.began));
    rows.set("ended", row, Math.min(before.ended, next.ended));
    if (next.told <= before.told) return;
    for (const name of ["told", "seq", "highest"] as const) rows.set(name, row, next[name]);
  }

  /** Another bid was sent under the same id. At most one of the two may have an effect. */
  #foldOther(row: number, before: Row, next: Row): void {
    const [one, other] = [mayHaveEffect(before), mayHaveEffect(next)];
    if (one === "yes" && other === "yes") this.contradicted.add(this.idOf(row));
    else if (one === "perhaps" && other === "perhaps") this.#rows.set("amount", row, Number.NaN);
    else if (other === "yes" || (other === "perhaps" && one === "no")) {
      for (const name of COLUMNS) this.#rows.set(name, row, next[name]);
    }
  }

  #row(row: number): Row {
    const get = (name: keyof Row) => this.#rows.get(name, row);
    return {
      told: get("told"),
      amount: get("amount"),
      bidder: get("bidder"),
      seq: get("seq"),
      highest: get("highest"),
      began: get("began"),
      ended: get("ended"),
    };
  }
}

function toldBy(status: number): number {
  if (status === 201) return ACCEPTED;
  if (status === 409) return REFUSED;
  if (status === 410) return TOLD.indexOf("ended");
  if (status === 400 || status === 404 || status === 422) return REJECTED;
  return status >= 400 && status < 500 ? TOLD.indexOf("turned-away") : UNKNOWN;
}

/** A 201 its number, and the bid's own id and amount; a 409 a number and the highest amount, which only number 0 lacks. */
function saysWhatItMust(answer: BidAnswer): boolean {
  const { status, id, amount, seq, highest, answered_id, answered_amount } = answer;
  if (!Number.isSafeInteger(seq) || seq === undefined) return false;
  if (status === 201)
    return seq >= 1 && answered_id?.toLowerCase() === id.toLowerCase() && answered_amount === amount;
  return seq >= 0 && highest !== undefined && (seq === 0) === (highest === null);
}

function sameAnswer(one: Row, other: Row): boolean {
  return one.told === other.told && Object.is(one.seq, other.seq) && Object.is(one.highest, other.highest);
}

/** A refused bid keeps its id, too: it is remembered. */
function mayHaveEffect({ told }: Row): "yes" | "perhaps" | "no" {
  if (told >= REFUSED) return "yes";
  return told === UNKNOWN ? "perhaps" : "no";
}
