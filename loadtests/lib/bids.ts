/** Bids, as bidders send them: ids that nobody else has, and amounts that are enough often enough. */

export interface BidBody {
  readonly bid_id: string;
  readonly bidder_id: string;
  readonly amount: number;
}

/** What an answer names; fields that it does not have, or that are of another kind, are left out: it is recorded all the same, and judged. */
export interface BidAnswer {
  readonly answered_id?: string;
  /** Of the accepted bid. */
  readonly answered_amount?: number;
  /** Of the accepted bid, or how many had been accepted when this one was refused. */
  readonly seq?: number;
  /** Of a refusal: the highest amount by then; null before the first bid. */
  readonly highest?: number | null;
}

/** Of the amount, for each millisecond since the auction's beginning. */
const DRIFT = 1000;
/** Milliseconds of drift over which amounts are spread: as far as k6's clock goes. */
const SPREAD = 1;
/** So many of the bids are late: enough a second ago. */
const LATE = { share: 0.2, milliseconds: 1000 };

/**
 * An amount that nobody has to agree on with anybody. It rises with the clock, so that a new bid is mostly above those before it
 * however many bidders there are and however long they wait for answers: a queue delays all alike. The spread, and what the way to the
 * auction shuffles, let bids of the same moment come in any order, so that some of them are refused: at R bids a second, shuffled within W
 * seconds, about √(2 ÷ (R × W)) of them are above all before. A fifth of them comes late, so that there are refusals
 * also where bidders hardly meet.
 *
 * @param elapsed milliseconds since the auction's beginning
 */
export function amountAt(elapsed: number): number {
  const late = Math.random() < LATE.share ? LATE.milliseconds : 0;
  return 1 + Math.floor(Math.max(0, elapsed - late + Math.random() * SPREAD) * DRIFT);
}

/**
 * Makes UUIDs (version 8 of RFC 9562: a content of one's own) out of the run, the user and the user's count: k6 counts them faster than
 * it would draw them at random, and no two are alike.
 *
 * @param run eleven hexadecimal digits that no other run has
 */
export function bidIds(run: string, user: number): (turn: number) => string {
  const who = hex(user, 7);
  const head = `${run.slice(0, 8)}-${who.slice(0, 4)}-8${who.slice(4)}-8${run.slice(8, 11)}-`;
  return (turn) => head + hex(turn, 12);
}

export function readAnswer(status: number, body: unknown): BidAnswer {
  if (status !== 201 && status !== 409) return {};
  const { bid_id, seq, amount, highest } = parsed(body);
  return {
    ...(typeof bid_id === "string" ? { answered_id: bid_id } : {}),
    ...(typeof seq === "number" ? { seq } : {}),
    ...(status === 201 && typeof amount === "number" ? { answered_amount: amount } : {}),
    ...(status === 409 && (typeof highest === "number" || highest === null) ? { highest } : {}),
  };
}

function parsed(body: unknown): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(String(body));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
