/** Each invariant of the conservation check, with the fault that it exists for planted and caught. */

import t from "tap";
import { judgeOrders, type OrdersEvidence } from "../../src/verdicts/orders-conservation.ts";
import type { Outcome } from "../../src/verdicts/verdict.ts";

const IDS = ["a", "b", "c"];

/** Three orders, all well. */
function sound(): OrdersEvidence {
  return {
    answers: IDS.map((id) => ({ id, status: 202, answered_id: id })),
    unreadableAnswers: 0,
    orders: new Map(
      IDS.map((id) => [id, { status: "completed" as const, total_minor: 100, charge_id: `charge-${id}` }]),
    ),
    deadLettered: [],
    allDeadLetters: true,
    ledger: IDS.map((id) => ({ charge_id: `charge-${id}`, order_id: id, amount_minor: 100 })),
    drained: true,
  };
}

function outcomes(evidence: OrdersEvidence): Record<string, Outcome> {
  return Object.fromEntries(judgeOrders(evidence).invariants.map(({ name, outcome }) => [name, outcome]));
}

function without(
  id: string,
): Map<string, OrdersEvidence["orders"] extends ReadonlyMap<string, infer V> ? V : never> {
  return new Map([...sound().orders].filter(([known]) => known !== id));
}

t.test("a sound run is held, with its counts", async (t) => {
  const verdict = judgeOrders(sound());
  t.equal(verdict.outcome, "held");
  t.ok(verdict.invariants.every(({ outcome }) => outcome === "held"));
  t.match(verdict.invariants.at(-1), { counts: { completed: 3 } });
});

t.test("no work at all is undecided, never held", async (t) => {
  const nothing = { ...sound(), answers: [], orders: new Map(), ledger: [] };
  t.equal(judgeOrders(nothing).outcome, "undecided");
  const refused = { ...nothing, answers: [{ id: "a", status: 503 }] };
  t.equal(judgeOrders(refused).outcome, "undecided");
});

t.test("an accepted order that is nowhere is lost: broken", async (t) => {
  const evidence = {
    ...sound(),
    orders: without("b"),
    ledger: sound().ledger.filter(({ order_id }) => order_id !== "b"),
  };
  t.match(outcomes(evidence), { "accepted-orders-are-settled": "broken" });
  t.match(judgeOrders(evidence), { outcome: "broken", invariants: [{}, {}, { examples: ["b"] }] });
});

t.test("an accepted order that is still processing after the drain is broken too", async (t) => {
  const orders = new Map(sound().orders).set("b", {
    status: "processing",
    total_minor: 100,
    charge_id: "charge-b",
  });
  t.match(outcomes({ ...sound(), orders }), { "accepted-orders-are-settled": "broken" });
});

t.test("before the queue has drained, what is missing is undecided", async (t) => {
  const evidence = { ...sound(), orders: without("b"), drained: false };
  t.match(outcomes(evidence), {
    "accepted-orders-are-settled": "undecided",
    "every-charge-has-its-order": "undecided",
  });
  t.equal(judgeOrders(evidence).outcome, "undecided");
});

t.test("a dead-lettered order is settled, not lost", async (t) => {
  const ledger = sound().ledger.filter(({ order_id }) => order_id !== "b");
  t.equal(
    judgeOrders({ ...sound(), orders: without("b"), ledger, deadLettered: ["b", null] }).outcome,
    "held",
  );
});

t.test("two charges for one order are broken", async (t) => {
  const ledger = [...sound().ledger, { charge_id: "charge-again", order_id: "a", amount_minor: 100 }];
  t.match(outcomes({ ...sound(), ledger }), {
    "one-charge-per-completed-order": "broken",
    "charges-match-their-orders": "broken",
  });
});

t.test("a completed order without a charge is broken", async (t) => {
  const ledger = sound().ledger.filter(({ order_id }) => order_id !== "a");
  t.match(outcomes({ ...sound(), ledger }), { "one-charge-per-completed-order": "broken" });
});

t.test("a charge without a completed order is broken", async (t) => {
  const ledger = [...sound().ledger, { charge_id: "charge-x", order_id: "x", amount_minor: 100 }];
  t.match(outcomes({ ...sound(), ledger }), { "every-charge-has-its-order": "broken" });
});

t.test("a charge with another amount is broken", async (t) => {
  const ledger = sound().ledger.map((charge) =>
    charge.order_id === "c" ? { ...charge, amount_minor: 99 } : charge,
  );
  t.match(outcomes({ ...sound(), ledger }), { "charges-match-their-orders": "broken" });
});

t.test("a 202 for another order's id is broken", async (t) => {
  const answers = [...sound().answers, { id: "d", status: 202, answered_id: "a" }];
  t.match(outcomes({ ...sound(), answers }), { "accepted-under-the-id-that-was-sent": "broken" });
});

t.test("evidence that cannot be read is broken, not ignored", async (t) => {
  t.match(outcomes({ ...sound(), unreadableAnswers: 1 }), { "every-answer-is-on-record": "broken" });
});

t.test("an order processed without a 202 is a surplus, which breaks nothing", async (t) => {
  const answers = sound().answers.map((answer) => (answer.id === "a" ? { id: "a", status: 0 } : answer));
  const verdict = judgeOrders({ ...sound(), answers });
  t.equal(verdict.outcome, "held");
  t.match(verdict.observations, [{ counts: { surplus: 1 } }, { counts: { "0": 1, "202": 2 } }]);
});

t.test("answers that were never written down leave the run undecided", async (t) => {
  const evidence = { ...sound(), requests: 4 };
  t.match(outcomes(evidence), { "every-answer-is-on-record": "undecided" });
  t.equal(judgeOrders({ ...sound(), requests: 3 }).outcome, "held");
});

t.test("a dead-letter queue that was not read to its end cannot prove a loss", async (t) => {
  const ledger = sound().ledger.filter(({ order_id }) => order_id !== "b");
  const verdict = judgeOrders({ ...sound(), orders: without("b"), ledger, allDeadLetters: false });
  t.equal(verdict.outcome, "undecided");
});

/** Beside the three: one paid while its client waited, one charged after its client hung up, one dropped. */
function withSync(): OrdersEvidence {
  const { answers, orders, ledger } = sound();
  const completed = (id: string) =>
    [id, { status: "completed" as const, total_minor: 50, charge_id: `charge-${id}` }] as const;
  return {
    ...sound(),
    answers: [
      ...answers,
      { id: "paid", op: "place-sync", status: 200, answered_id: "paid" },
      { id: "late", op: "place-sync", status: 0 },
      { id: "gone", op: "place-sync", status: 0 },
    ],
    orders: new Map([
      ...orders,
      completed("paid"),
      completed("late"),
      ["gone", { status: "abandoned" as const, total_minor: 50 }],
    ]),
    ledger: [
      ...ledger,
      { charge_id: "charge-paid", order_id: "paid", amount_minor: 50 },
      { charge_id: "charge-late", order_id: "late", amount_minor: 50 },
    ],
  };
}

t.test("synchronous orders: served, charged after hanging up, dropped, each counted, and held", async (t) => {
  const verdict = judgeOrders(withSync());
  t.equal(verdict.outcome, "held");
  t.match(verdict.observations, [
    { name: "abandoned", counts: { abandoned: 2, charged: 1, dropped: 1 } },
    { name: "surplus", counts: { surplus: 0 } },
  ]);
  t.match(verdict.invariants.at(-1), { counts: { completed: 4 } });
  t.notOk(
    judgeOrders(sound()).invariants.some(({ name }) => name === "synchronous-answers-are-true"),
    "nothing is said of what was not done",
  );
});

t.test("a 200 for an order that is not completed, or not charged, is broken", async (t) => {
  const evidence = withSync();
  const orders = new Map(evidence.orders).set("paid", { status: "processing", total_minor: 50 });
  t.match(outcomes({ ...evidence, orders }), { "synchronous-answers-are-true": "broken" });
  const ledger = evidence.ledger.filter(({ order_id }) => order_id !== "paid");
  t.match(outcomes({ ...evidence, ledger }), {
    "synchronous-answers-are-true": "broken",
    "one-charge-per-completed-order": "broken",
  });
});

t.test("a 200 under another order's id is broken", async (t) => {
  const evidence = withSync();
  const answers = evidence.answers.map((answer) =>
    answer.id === "paid" ? { ...answer, answered_id: "other" } : answer,
  );
  t.match(outcomes({ ...evidence, answers }), { "accepted-under-the-id-that-was-sent": "broken" });
});

t.test("an order that was dropped and charged all the same is broken", async (t) => {
  const evidence = withSync();
  const ledger = [...evidence.ledger, { charge_id: "charge-gone", order_id: "gone", amount_minor: 50 }];
  t.match(outcomes({ ...evidence, ledger }), { "every-charge-has-its-order": "broken" });
});

t.test("an order that nobody waits for and that stays open leaves the run undecided", async (t) => {
  const evidence = withSync();
  const orders = new Map(evidence.orders).set("gone", { status: "processing", total_minor: 50 });
  t.match(outcomes({ ...evidence, orders }), { "abandoned-orders-are-settled": "undecided" });
});

t.test("where nobody hung up there is nothing to be held of those who did", async (t) => {
  const evidence = withSync();
  const served = evidence.answers.filter(({ op, status }) => op !== "place-sync" || status === 200);
  const names = Object.keys(outcomes({ ...evidence, answers: served }));
  t.ok(names.includes("synchronous-answers-are-true"));
  t.notOk(names.includes("abandoned-orders-are-settled"));
});

t.test("a run of synchronous orders alone needs no queued ones", async (t) => {
  const { answers, ledger, orders } = withSync();
  const ids = new Set(["paid", "late", "gone"]);
  const verdict = judgeOrders({
    ...withSync(),
    answers: answers.filter(({ id }) => ids.has(id)),
    ledger: ledger.filter(({ order_id }) => ids.has(order_id)),
    orders: new Map([...orders].filter(([id]) => ids.has(id))),
  });
  t.equal(verdict.outcome, "held", JSON.stringify(verdict.invariants, null, 2));
});
