/**
 * The conservation check of orders: nothing that was answered 202 is lost, what was answered as completed is, nothing is
 * charged twice, nothing is charged for an order that is not there. Judged by what clients were told, what the API says of
 * each of their orders, and the payment provider's ledger.
 */

import { type Invariant, noneOf, type Observation, type Verdict, verdictOf } from "./verdict.ts";

/** One line that the load generator wrote. */
export interface OrderAnswer {
  readonly id: string;
  /** What was asked for: `place`, or `place-sync` for an order that is paid while its client waits. */
  readonly op?: string | undefined;
  /** 0: no answer. */
  readonly status: number;
  readonly answered_id?: string | undefined;
}

export interface OrderFound {
  readonly status: "processing" | "completed" | "abandoned";
  readonly total_minor: number;
  readonly charge_id?: string | undefined;
}

export interface LedgerCharge {
  readonly charge_id: string;
  readonly order_id: string;
  readonly amount_minor: number;
}

/** The operation of an order that is paid while its client waits. See loadtests/orders/sync-vs-async.ts. */
export const SYNC = "place-sync";

export interface OrdersEvidence {
  readonly answers: readonly OrderAnswer[];
  /** Lines of the generator's output that could not be read: evidence that is missing. */
  readonly unreadableAnswers: number;
  /** Requests that the load generator says it made; undefined where it does not say. */
  readonly requests?: number | undefined;
  /** By order id: every order that was asked for and known. */
  readonly orders: ReadonlyMap<string, OrderFound>;
  /** Ids in the dead-letter queue; `null` for a message whose id could not be read. */
  readonly deadLettered: readonly (string | null)[];
  /** Whether the dead-letter queue was read to its end. */
  readonly allDeadLetters: boolean;
  /** Charges made since the run began. */
  readonly ledger: readonly LedgerCharge[];
  /** Whether the queue was seen empty, nothing in flight, after the load. */
  readonly drained: boolean;
}

export function judgeOrders(evidence: OrdersEvidence): Verdict {
  const { answers, orders, ledger } = evidence;
  const accepted = new Set(answers.filter(({ status }) => status === 202).map(({ id }) => id));
  const sync = answers.filter(({ op }) => op === SYNC);
  const paid = new Set(sync.filter(({ status }) => status === 200).map(({ id }) => id));
  const told = new Set([...accepted, ...paid]);
  const completed = [...orders].filter(([, order]) => order.status === "completed").map(([id]) => id);
  const charges = Map.groupBy(ledger, ({ order_id }) => order_id);
  const hungUp = new Set(sync.filter(({ id }) => !paid.has(id)).map(({ id }) => id));
  const surplus = completed.filter((id) => !told.has(id) && !hungUp.has(id));
  return verdictOf(
    [
      allOnRecord(evidence),
      answeredUnderTheirOwnId(answers),
      ...(answers.length > sync.length || sync.length === 0 ? [acceptedAreSettled(accepted, evidence)] : []),
      ...(sync.length > 0 ? [paidWhileTheyWaited(paid, charges, evidence)] : []),
      ...(hungUp.size > 0 ? [endKnown(hungUp, evidence)] : []),
      chargedOnce(completed, charges),
      chargesHaveOrders(ledger, evidence),
      amountsAgree(ledger, evidence),
      someCompleted(completed.filter((id) => told.has(id)).length),
    ],
    [
      ...(sync.length > 0 ? [abandoned(hungUp, evidence)] : []),
      {
        name: "surplus",
        detail:
          "Orders that were processed although their client was never told 202. Not an error: a lost answer is not a lost order.",
        counts: { surplus: surplus.length },
      },
      {
        name: "answers",
        detail: "What clients were told, by status; 0 is no answer.",
        counts: byStatus(answers),
      },
    ],
  );
}

function allOnRecord({ answers, unreadableAnswers, requests }: OrdersEvidence): Invariant {
  const name = "every-answer-is-on-record";
  const missing = Math.max(0, (requests ?? 0) - answers.length - unreadableAnswers);
  const detail = "Every request that the load generator made has a line that can be read.";
  if (missing > 0 && unreadableAnswers === 0) {
    return { name, outcome: "undecided", detail, counts: { checked: answers.length, missing } };
  }
  const offenders = unreadableAnswers > 0 ? [`${unreadableAnswers} lines`] : [];
  return noneOf(name, offenders, {
    checked: answers.length + unreadableAnswers,
    counts: { missing },
    detail,
  });
}

function answeredUnderTheirOwnId(answers: readonly OrderAnswer[]): Invariant {
  const accepted = answers.filter(({ status, op }) => status === (op === SYNC ? 200 : 202));
  const strangers = accepted.filter(({ id, answered_id }) => id !== answered_id).map(({ id }) => id);
  return noneOf("accepted-under-the-id-that-was-sent", strangers, {
    checked: accepted.length,
    detail: "Each 202, and each 200 of an order that was paid at once, names the id that its client sent.",
  });
}

function acceptedAreSettled(accepted: ReadonlySet<string>, evidence: OrdersEvidence): Invariant {
  const dead = new Set(evidence.deadLettered);
  const lost = [...accepted].filter((id) => evidence.orders.get(id)?.status !== "completed" && !dead.has(id));
  const detail = "Every order that was answered 202 is completed or in the dead-letter queue.";
  const counts = { dead_lettered: [...accepted].filter((id) => dead.has(id)).length };
  if (lost.length > 0 && !(evidence.drained && evidence.allDeadLetters)) {
    const why = evidence.drained
      ? "The dead-letter queue is too long to be read to its end."
      : "The queue had not drained when the time to settle was over.";
    return {
      name: "accepted-orders-are-settled",
      outcome: "undecided",
      detail: `${detail} ${why}`,
      counts: { checked: accepted.size, unsettled: lost.length, ...counts },
      examples: lost.slice(0, 10),
    };
  }
  return noneOf("accepted-orders-are-settled", lost, { checked: accepted.size, counts, detail });
}

function paidWhileTheyWaited(
  paid: ReadonlySet<string>,
  charges: ReadonlyMap<string, readonly LedgerCharge[]>,
  { orders }: OrdersEvidence,
): Invariant {
  const offenders = [...paid].filter(
    (id) => orders.get(id)?.status !== "completed" || charges.get(id)?.length !== 1,
  );
  return noneOf("synchronous-answers-are-true", offenders, {
    checked: paid.size,
    detail: "Every order that was answered 200 while its client waited is completed, with one charge.",
  });
}

/** That what was charged is completed is another's matter. */
function endKnown(hungUp: ReadonlySet<string>, { orders }: OrdersEvidence): Invariant {
  const open = [...hungUp].filter((id) => orders.get(id)?.status === "processing");
  return {
    name: "abandoned-orders-are-settled",
    outcome: open.length > 0 ? "undecided" : "held",
    detail: "No order is open for ever whose client hung up or was refused: it is completed or abandoned.",
    counts: { checked: hungUp.size, unsettled: open.length },
    ...(open.length > 0 ? { examples: open.slice(0, 10) } : {}),
  };
}

function abandoned(hungUp: ReadonlySet<string>, { orders, ledger }: OrdersEvidence): Observation {
  const charged = new Set(ledger.map(({ order_id }) => order_id).filter((id) => hungUp.has(id)));
  const dropped = [...hungUp].filter((id) => orders.get(id)?.status === "abandoned");
  return {
    name: "abandoned",
    detail:
      "Orders whose client no longer waited for the payment. Those that were charged all the same are completed: their clients do not know.",
    counts: { abandoned: hungUp.size, charged: charged.size, dropped: dropped.length },
  };
}

function chargedOnce(
  completed: readonly string[],
  charges: ReadonlyMap<string, readonly LedgerCharge[]>,
): Invariant {
  const offenders = completed.filter((id) => charges.get(id)?.length !== 1);
  return noneOf("one-charge-per-completed-order", offenders, {
    checked: completed.length,
    detail: "The provider's ledger has exactly one charge for each completed order.",
  });
}

function chargesHaveOrders(ledger: readonly LedgerCharge[], { orders, drained }: OrdersEvidence): Invariant {
  const offenders = ledger
    .filter(({ order_id }) => orders.get(order_id)?.status !== "completed")
    .map(({ order_id }) => order_id);
  const name = "every-charge-has-its-order";
  const detail = "Each charge in the ledger belongs to an order that is completed.";
  // A charge is made before its order is committed: while work is going on, that is no contradiction.
  if (offenders.length > 0 && !drained) {
    const counts = { checked: ledger.length, unsettled: offenders.length };
    return { name, outcome: "undecided", detail: `${detail} The queue had not drained.`, counts };
  }
  return noneOf(name, offenders, { checked: ledger.length, detail });
}

function amountsAgree(ledger: readonly LedgerCharge[], { orders }: OrdersEvidence): Invariant {
  const both = ledger.flatMap((charge) => {
    const order = orders.get(charge.order_id);
    return order?.status === "completed" ? [{ charge, order }] : [];
  });
  const offenders = both
    .filter(
      ({ charge, order }) =>
        charge.amount_minor !== order.total_minor || charge.charge_id !== order.charge_id,
    )
    .map(({ charge }) => charge.order_id);
  return noneOf("charges-match-their-orders", offenders, {
    checked: both.length,
    detail: "Amount and charge id in the ledger are those on the order.",
  });
}

function someCompleted(count: number): Invariant {
  const name = "orders-were-completed";
  const detail = "At least one accepted order went all the way; a run without work proves nothing.";
  return { name, outcome: count > 0 ? "held" : "undecided", detail, counts: { completed: count } };
}

function byStatus(answers: readonly OrderAnswer[]): Record<string, number> {
  const groups = Map.groupBy(answers, ({ status }) => String(status));
  return Object.fromEntries([...groups].map(([status, group]) => [status, group.length]));
}
