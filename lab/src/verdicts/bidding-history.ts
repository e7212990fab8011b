/**
 * Small histories of one auction, such as those of fault tests, in which many answers are missing: whether any order of the bids explains
 * all answers that there are. Numbers alone cannot tell, as bids whose clients had no answer have none.
 */

import { type Budget, type Call, checkLinearizable, type Model } from "@parallax/linearizability";
import { type Invariant, noneOf, type Verdict, verdictOf } from "./verdict.ts";

/** One attempt of one client. */
export interface BidAttempt {
  readonly op: "bid";
  readonly bid_id: string;
  readonly bidder_id: string;
  readonly amount: number;
  /** Without it, the outcome is unknown: no answer, or 5xx. */
  readonly answer?: BidTold | undefined;
}

export type BidTold =
  | { readonly status: 201; readonly seq: number }
  | { readonly status: 409; readonly seq: number; readonly highest: number | null }
  | { readonly status: 410 }
  /** Another bid has this id. */
  | { readonly status: 422 };

/** What `GET /auctions/:id` says. */
export interface AuctionRead {
  readonly op: "read";
  readonly answer: {
    readonly seq: number;
    readonly highest: number | null;
    readonly bid_id: string | null;
    readonly status: "open" | "ended";
  };
}

/** By one clock of the clients, which is never set back, such as `performance.now()`. */
export type AuctionCall = Call<BidAttempt | AuctionRead>;

export interface AuctionRules {
  readonly starting_price: number;
  readonly min_increment: number;
}

/** Held or broken where the search came to its end, else undecided. An answered bid at least has to be there. */
export function judgeSmallHistory(
  rules: AuctionRules,
  history: readonly AuctionCall[],
  budget?: Budget,
): Verdict {
  const { calls, contradicted } = foldAttempts(history.map(withoutEndUnlessAnswered));
  return verdictOf([
    noneOf("repeated-bids-have-one-answer", contradicted, {
      checked: history.length,
      detail: "The same bid again had the same answer.",
    }),
    linearizable(rules, calls, budget),
  ]);
}

/** A bid that was given up, or answered 5xx, ended for its client alone: it may have its effect later. */
function withoutEndUnlessAnswered(call: AuctionCall): AuctionCall {
  return call.operation.answer === undefined ? { ...call, ended: undefined } : call;
}

function linearizable(
  rules: AuctionRules,
  history: readonly AuctionCall[],
  budget: Budget | undefined,
): Invariant {
  const name = "history-is-linearizable";
  const detail =
    "There is an order of all bids and readings that explains each answer and keeps to the clock.";
  const answered = history.filter(({ ended }) => ended !== undefined);
  const checked = answered.length;
  const verdict = checkLinearizable(auctionModel(rules, history), history, budget);
  const counts = { checked, unknown: history.length - checked, steps: verdict.steps };
  if (verdict.outcome === "illegal") {
    const explained = verdict.longest.filter(({ ended }) => ended !== undefined).length;
    const last = verdict.longest.at(-1);
    const examples = [
      `${explained} of ${checked} answers can be explained${last ? `, up to: ${told(last)}` : ""}`,
      ...verdict.stuck.slice(0, 9).map((call) => `cannot be next: ${told(call)}`),
    ];
    return { name, outcome: "broken", detail, counts: { ...counts, explained }, examples };
  }
  if (verdict.outcome === "undecided") {
    return { name, outcome: "undecided", detail: `${detail} The search took too long.`, counts };
  }
  if (!answered.some(({ operation }) => operation.op === "bid")) {
    return { name, outcome: "undecided", detail: `${detail} No bid was answered.`, counts };
  }
  return { name, outcome: "held", detail, counts };
}

/**
 * Attempts at the same bid are one call, from the first sending to the first answer: the bid takes effect once in that time, and what
 * is answered later is the same again. This keeps the search short. Different bids under one id are left as they are.
 */
function foldAttempts(history: readonly AuctionCall[]): { calls: AuctionCall[]; contradicted: string[] } {
  const contradicted: string[] = [];
  const byId = Map.groupBy(history, ({ operation }) =>
    operation.op === "bid" ? operation.bid_id : undefined,
  );
  const calls = [...byId].flatMap(([id, attempts]) => {
    const [first] = attempts;
    if (id === undefined || first === undefined || attempts.some((each) => !isSameBid(each, first)))
      return attempts;
    const answered = attempts.filter(({ ended }) => ended !== undefined);
    const [one = first] = answered;
    const answers = answered.flatMap(({ operation }) => (operation.op === "bid" && operation.answer) || []);
    if (answers.some((each) => !fits(answers[0], each))) {
      contradicted.push(`bid ${id}: ${answers.map((each) => JSON.stringify(each)).join(", ")}`);
    }
    const began = Math.min(...attempts.map((each) => each.began));
    const ends = answered.flatMap(({ ended }) => ended ?? []);
    return [{ ...one, began, ended: ends.length > 0 ? Math.min(...ends) : undefined }];
  });
  return { calls, contradicted };
}

function isSameBid({ operation: one }: AuctionCall, { operation: other }: AuctionCall): boolean {
  if (one.op === "read" || other.op === "read") return false;
  return one.bidder_id === other.bidder_id && one.amount === other.amount;
}

interface State {
  readonly seq: number;
  readonly highest: number | null;
  readonly bidId: string | null;
  readonly ended: boolean;
  /** What was answered to ids that occur more than once; of the others, nobody asks again. */
  readonly remembered: Readonly<Record<string, Remembered>>;
}

interface Remembered {
  readonly bidder_id: string;
  readonly amount: number;
  readonly answer: BidTold;
}

/** The auction as one bidder after the other would find it. It may end at any time, and does not begin again. */
export function auctionModel(
  rules: AuctionRules,
  history: readonly AuctionCall[],
): Model<State, BidAttempt | AuctionRead> {
  const times = new Map<string, number>();
  for (const { operation } of history) {
    if (operation.op === "bid") times.set(operation.bid_id, (times.get(operation.bid_id) ?? 0) + 1);
  }
  return {
    init: { seq: 0, highest: null, bidId: null, ended: false, remembered: {} },
    step(state, operation) {
      if (operation.op === "read") return read(state, operation.answer);
      const asked = { ...operation, again: (times.get(operation.bid_id) ?? 0) > 1 };
      return bid(rules, state, asked);
    },
    key: (state) => JSON.stringify(state),
    isRead: (operation) => isRead(operation, times),
  };
}

/** A refused bid is one, unless it may be sent again: then it is remembered. A reading may tell of the end. */
function isRead(operation: BidAttempt | AuctionRead, times: ReadonlyMap<string, number>): boolean {
  if (operation.op === "read") return operation.answer.status === "open";
  return operation.answer?.status === 409 && times.get(operation.bid_id) === 1;
}

function read(state: State, { seq, highest, bid_id, status }: AuctionRead["answer"]): State[] {
  if (seq !== state.seq || highest !== state.highest || bid_id !== state.bidId) return [];
  if (status === "open") return state.ended ? [] : [state];
  return [{ ...state, ended: true }];
}

function bid(rules: AuctionRules, state: State, attempt: BidAttempt & { readonly again: boolean }): State[] {
  const { bid_id, bidder_id, amount, answer, again } = attempt;
  const before = state.remembered[bid_id];
  if (before !== undefined) {
    const same = before.bidder_id === bidder_id && before.amount === amount;
    return fits(answer, same ? before.answer : { status: 422 }) ? [state] : [];
  }
  const remember = (next: State, given: BidTold): State => {
    if (!again) return next;
    // Sorted, so that equal states have equal keys.
    const all = Object.entries({ ...next.remembered, [bid_id]: { bidder_id, amount, answer: given } });
    return { ...next, remembered: Object.fromEntries(all.sort(([one], [other]) => (one < other ? -1 : 1))) };
  };
  const ended = remember({ ...state, ended: true }, { status: 410 });
  if (state.ended) return fits(answer, { status: 410 }) ? [ended] : [];
  const least = state.highest === null ? rules.starting_price : state.highest + rules.min_increment;
  const given: BidTold =
    amount < least
      ? { status: 409, seq: state.seq, highest: state.highest }
      : { status: 201, seq: state.seq + 1 };
  const open = given.status === 201 ? { ...state, seq: given.seq, highest: amount, bidId: bid_id } : state;
  return [
    ...(fits(answer, given) ? [remember(open, given)] : []),
    // The end may have come just before it.
    ...(fits(answer, { status: 410 }) ? [ended] : []),
  ];
}

function fits(answer: BidTold | undefined, given: BidTold): boolean {
  if (answer === undefined) return true;
  if (answer.status !== given.status) return false;
  if (answer.status === 201 && given.status === 201) return answer.seq === given.seq;
  if (answer.status === 409 && given.status === 409) {
    return answer.seq === given.seq && answer.highest === given.highest;
  }
  return true;
}

function told({ client, operation, began, ended }: AuctionCall): string {
  const { op, answer } = operation;
  const what = op === "bid" ? `bid ${operation.bid_id} of ${operation.amount}` : "reading";
  const times = `${began.toFixed(1)} to ${ended?.toFixed(1) ?? "?"} ms`;
  return `${client ? `${client}, ` : ""}${what}, ${times}: ${answer === undefined ? "no answer" : JSON.stringify(answer)}`;
}
