/** Histories whose verdict is known, mostly the literature's own. Times are read off the figures; only their order matters. */

import t from "tap";
import { type Call, checkLinearizable, type Model } from "../src/index.ts";
import { bag, call, queue, type RegisterOperation, register } from "./models.ts";

const write = (value: number) => ({ op: "write", value }) as const;
const read = (answer: number) => ({ op: "read", answer }) as const;
const cas = (from: number, to: number, answer: boolean) => ({ op: "cas", from, to, answer }) as const;
const enqueue = (value: string) => ({ op: "enqueue", value }) as const;
const dequeue = (answer: string | null) => ({ op: "dequeue", answer }) as const;

const outcomeOf = <S, O>(model: Model<S, O>, history: readonly Call<O>[]) =>
  checkLinearizable(model, history).outcome;

t.test("the queues of Herlihy and Wing's first figure", async (t) => {
  const a = [
    call(enqueue("x"), 0, 3),
    call(enqueue("y"), 1, 4),
    call(dequeue("x"), 5, 7),
    call(dequeue("y"), 6, 9),
    call(enqueue("z"), 8, 10),
  ];
  t.equal(outcomeOf(queue, a), "linearizable", "overlapping, each out once and in an order that could be");
  const b = [call(enqueue("x"), 0, 1), call(enqueue("y"), 2, 3), call(dequeue("y"), 4, 5)];
  t.equal(outcomeOf(queue, b), "illegal", "y overtakes x, which was in before it");
  const c = [call(enqueue("x"), 0, 3), call(dequeue("x"), 1, 2)];
  t.equal(outcomeOf(queue, c), "linearizable", "out before the enqueueing returns");
  const d = [
    call(enqueue("x"), 0, 2),
    call(enqueue("y"), 1, 3),
    call(dequeue("y"), 4, 6),
    call(dequeue("y"), 5, 7),
  ];
  t.equal(outcomeOf(queue, d), "illegal", "y is out twice");
});

t.test("an empty queue may be seen only while it may be empty", async (t) => {
  t.equal(outcomeOf(queue, [call(enqueue("x"), 0, 2), call(dequeue(null), 1, 3)]), "linearizable");
  t.equal(outcomeOf(queue, [call(enqueue("x"), 0, 1), call(dequeue(null), 2, 3)]), "illegal");
});

t.test("a register: the two histories that porcupine explains itself by", async (t) => {
  const legal = [call(write(100), 0, 100), call(read(100), 25, 75), call(read(0), 30, 60)];
  t.equal(outcomeOf(register(), legal), "linearizable");
  const illegal = [call(write(200), 0, 100), call(read(200), 10, 30), call(read(0), 40, 90)];
  t.equal(outcomeOf(register(), illegal), "illegal");
});

t.test("Lamport's new-old inversion: regular, and not atomic", async (t) => {
  const inverted = [call(write(1), 0, 10), call(read(1), 1, 2), call(read(0), 3, 4)];
  t.equal(outcomeOf(register(), inverted), "illegal");
  t.equal(
    outcomeOf(register(), [inverted[0], inverted[2], { ...inverted[1], began: 5, ended: 6 }] as never),
    "linearizable",
  );
});

t.test("a stale read is sequentially consistent, and not linearizable", async (t) => {
  t.equal(outcomeOf(register(), [call(write(1), 0, 1), call(read(0), 2, 3)]), "illegal");
  t.equal(outcomeOf(register(), [call(write(1), 0, 1), call(read(0), 1, 3)]), "linearizable", "they touch");
});

t.test("compare and set: one of two that expect the same succeeds", async (t) => {
  const both = (one: boolean, other: boolean) => [call(cas(0, 1, one), 0, 5), call(cas(0, 2, other), 1, 4)];
  t.equal(outcomeOf(register(), both(true, false)), "linearizable");
  t.equal(outcomeOf(register(), both(false, true)), "linearizable");
  t.equal(outcomeOf(register(), both(true, true)), "illegal");
  t.equal(outcomeOf(register(), both(false, false)), "illegal");
});

t.test("of unknown outcome: at any time later, or never, and once", async (t) => {
  const unknown = call(write(1), 0);
  t.equal(outcomeOf(register(), [unknown, call(read(0), 1, 2), call(read(1), 100, 101)]), "linearizable");
  t.equal(outcomeOf(register(), [unknown, call(read(0), 100, 101)]), "linearizable");
  const thereAndGone = [unknown, call(read(1), 1, 2), call(read(0), 3, 4)];
  t.equal(outcomeOf(register(), thereAndGone), "illegal");
  t.equal(
    outcomeOf(register(), [call(write(1), 5), call(read(1), 1, 2)]),
    "illegal",
    "not before it was asked for",
  );
  const twice = [call(enqueue("x"), 0), call(dequeue("x"), 1, 2), call(dequeue("x"), 3, 4)];
  t.equal(outcomeOf(queue, twice), "illegal");
  const unknownTake = [
    call(enqueue("x"), 0, 1),
    call({ op: "dequeue" } as const, 2),
    call(dequeue(null), 3, 4),
  ];
  t.equal(outcomeOf(queue, unknownTake), "linearizable", "an answer nobody had may have taken x");
});

t.test("an object whose next state is not determined", async (t) => {
  const put = (value: string) => ({ op: "put", value }) as const;
  const take = (answer?: string) => ({ op: "take", ...(answer && { answer }) }) as const;
  const puts = [call(put("a"), 0, 1), call(put("b"), 2, 3)];
  // The first state that is tried for the unknown taking is the wrong one.
  t.equal(outcomeOf(bag, [...puts, call(take(), 4), call(take("a"), 5, 6)]), "linearizable");
  t.equal(outcomeOf(bag, [...puts, call(take(), 4), call(take("b"), 5, 6)]), "linearizable");
  t.equal(outcomeOf(bag, [...puts, call(take("a"), 4, 5), call(take("a"), 6, 7)]), "illegal");
  // One who took something, and does not say what.
  for (const left of ["a", "b"]) {
    t.equal(outcomeOf(bag, [...puts, call(take(), 4, 5), call(take(left), 6, 7)]), "linearizable", left);
  }
  t.equal(
    outcomeOf(bag, [...puts, call(take(), 4, 5), call(take("a"), 6, 7), call(take("b"), 8, 9)]),
    "illegal",
  );
});

t.test("the order that is found is one that explains the history", async (t) => {
  const history: Call<RegisterOperation>[] = [
    call(write(1), 0, 10),
    call(read(1), 1, 2),
    call(write(2), 3),
    call(read(2), 4, 12),
  ];
  const verdict = checkLinearizable(register(), history);
  t.match(verdict, { outcome: "linearizable" });
  t.same(
    verdict.outcome === "linearizable" && verdict.order.map((each) => history.indexOf(each)),
    [0, 1, 2, 3],
  );
});

t.test(
  "an illegal history comes with what can be explained of it, and with what cannot follow",
  async (t) => {
    const history = [
      call(write(1), 0, 1),
      call(write(2), 2, 3),
      call(read(2), 4, 5),
      call(read(1), 6, 8),
      call(read(0), 7, 9),
    ];
    const verdict = checkLinearizable(register(), history);
    if (verdict.outcome !== "illegal") return t.fail(verdict.outcome);
    t.same(verdict.longest, history.slice(0, 3));
    t.same(verdict.stuck, history.slice(3));
  },
);

t.test("nothing happened, nothing is wrong", async (t) => {
  t.match(checkLinearizable(register(), []), { outcome: "linearizable", order: [] });
});

t.test("what is over its budget is undecided, whichever way it would have come out", async (t) => {
  // Nobody knows of these writes: 2^n choices, and memory of what was tried does not help, since all values differ.
  const writes = Array.from({ length: 24 }, (_, at) => call(write(at + 1), 0));
  const impossible = [...writes, call(read(-1), 1, 2)];
  t.match(checkLinearizable(register(), impossible, { steps: 1000 }), { outcome: "undecided", steps: 1000 });
  t.match(checkLinearizable(register(), impossible, { milliseconds: 20, steps: 1e12 }), {
    outcome: "undecided",
  });
  t.match(checkLinearizable(register(), [...writes, call(read(24), 1, 2)], { steps: 3 }), {
    outcome: "undecided",
  });
  t.match(checkLinearizable(register(), [...writes, call(read(24), 1, 2)]), { outcome: "linearizable" });
});

t.test(
  "memory makes the search of many equal calls short, and knowing that they are reads shorter",
  async (t) => {
    // Without either, each of the orders of 12 concurrent reads would be tried: 479 million.
    const reads = Array.from({ length: 12 }, () => call(read(0), 0, 10));
    const history = [...reads, call(read(1), 11, 12)];
    const { isRead: _, ...forgetful } = register();
    const remembered = checkLinearizable(forgetful, history);
    t.equal(remembered.outcome, "illegal");
    t.ok(remembered.steps < 50_000, `${remembered.steps} steps`);
    const atOnce = checkLinearizable(register(), history);
    t.equal(atOnce.outcome, "illegal");
    t.ok(atOnce.steps < 20, `${atOnce.steps} steps`);
  },
);

t.test("a call that ends before it begins is no history", async (t) => {
  t.throws(() => checkLinearizable(register(), [call(read(0), 2, 1)]), RangeError);
  t.throws(() => checkLinearizable(register(), [call(read(0), Number.NaN, 1)]), RangeError);
  t.throws(() => checkLinearizable(register(), [call(read(0), Number.NaN)]), RangeError);
});
