/** The search beside a real sequential execution, and beside linearizability by its definition. */

import fc from "fast-check";
import t from "tap";
import { type Call, checkLinearizable, type Model } from "../src/index.ts";
import { isLinearizableByDefinition } from "./brute-force.ts";
import { type QueueOperation, queue, type RegisterOperation, register } from "./models.ts";

const settings = { seed: 1990, numRuns: 1500 };

/** What is asked for, how long before and after the moment of its effect, and whether the client hears of it. */
const asked = <T>(request: fc.Arbitrary<T>) =>
  fc.record({
    request,
    before: fc.integer({ min: 0, max: 30 }),
    after: fc.integer({ min: 0, max: 30 }),
    lost: fc.nat({ max: 9 }).map((one) => one === 0),
  });

type Asked<T> = ReturnType<typeof asked<T>> extends fc.Arbitrary<infer A> ? A : never;

const registerRequest = fc.oneof(
  fc.record({ op: fc.constant("write" as const), value: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ op: fc.constant("read" as const) }),
  fc.record({
    op: fc.constant("cas" as const),
    from: fc.integer({ min: 0, max: 3 }),
    to: fc.integer({ min: 0, max: 3 }),
  }),
);
const queueRequest = fc.oneof(
  fc.record({ op: fc.constant("enqueue" as const), value: fc.constantFrom("x", "y", "z") }),
  fc.record({ op: fc.constant("dequeue" as const) }),
);

/** Does one after the other, ten units of time apart, and widens each to the interval that its client sees. */
function execute<State, Operation>(
  model: Model<State, Operation>,
  requests: readonly Asked<Operation>[],
  answer: (state: State, request: Operation) => Operation,
): Call<Operation>[] {
  let state = model.init;
  return requests.map(({ request, before, after, lost }, at) => {
    const operation = answer(state, request);
    state = model.step(state, operation)[0] as State;
    const interval = { began: at * 10 - before, ...(lost ? {} : { ended: at * 10 + after }) };
    return { operation: lost ? request : operation, ...interval };
  });
}

function answerOfRegister(state: number, request: RegisterOperation): RegisterOperation {
  if (request.op === "write") return request;
  return request.op === "read"
    ? { op: "read", answer: state }
    : { ...request, answer: state === request.from };
}

function answerOfQueue(state: readonly string[], request: QueueOperation): QueueOperation {
  return request.op === "enqueue" ? request : { op: "dequeue", answer: state[0] ?? null };
}

/** Another answer than the true one; a write has none that could be another. */
function lie(operation: RegisterOperation, by: number): RegisterOperation {
  if (operation.op === "read" && operation.answer !== undefined) {
    return { op: "read", answer: (operation.answer + by) % 4 };
  }
  return operation.op === "cas" && operation.answer !== undefined
    ? { ...operation, answer: !operation.answer }
    : operation;
}

t.test("what was done one by one is linearizable, however long its clients waited", async () => {
  const registers = fc.array(asked<RegisterOperation>(registerRequest), { maxLength: 40 });
  fc.assert(
    fc.property(registers, (requests) => {
      const history = execute(register(), requests, answerOfRegister);
      return checkLinearizable(register(), history).outcome === "linearizable";
    }),
    settings,
  );
  const queues = fc.array(asked<QueueOperation>(queueRequest), { maxLength: 25 });
  fc.assert(
    fc.property(queues, (requests) => {
      const history = execute(queue, requests, answerOfQueue);
      return checkLinearizable(queue, history).outcome === "linearizable";
    }),
    settings,
  );
});

t.test("with a false answer or two it is what the definition says", async (t) => {
  const found = { linearizable: 0, illegal: 0, undecided: 0 };
  fc.assert(
    fc.property(
      fc.array(asked<RegisterOperation>(registerRequest), { minLength: 2, maxLength: 7 }),
      fc.array(fc.tuple(fc.nat({ max: 6 }), fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 2 }),
      (requests, lies) => {
        const history = execute(register(), requests, answerOfRegister);
        for (const [at, by] of lies) {
          const told = history[at];
          if (told) history[at] = { ...told, operation: lie(told.operation, by) };
        }
        const { outcome } = checkLinearizable(register(), history);
        found[outcome] += 1;
        return (outcome === "linearizable") === isLinearizableByDefinition(register(), history);
      },
    ),
    settings,
  );
  t.ok(found.linearizable > 100 && found.illegal > 100, JSON.stringify(found));
  t.equal(found.undecided, 0);
});

t.test("the order it finds is legal, and keeps to the clock; the longest one, too", async () => {
  fc.assert(
    fc.property(
      fc.array(asked<RegisterOperation>(registerRequest), { maxLength: 12 }),
      fc.nat({ max: 11 }),
      (requests, at) => {
        const history = execute(register(), requests, answerOfRegister);
        const told = history[at];
        if (told) history[at] = { ...told, operation: lie(told.operation, 1) };
        const verdict = checkLinearizable(register(), history);
        if (verdict.outcome === "undecided") return false;
        const order = verdict.outcome === "linearizable" ? verdict.order : verdict.longest;
        const answered =
          verdict.outcome === "illegal" ||
          history.every((each) => each.ended === undefined || order.includes(each));
        return (
          answered && isPossible(order) && (verdict.outcome === "linearizable" || verdict.stuck.length > 0)
        );
      },
    ),
    settings,
  );
});

function isPossible(order: readonly Call<RegisterOperation>[]): boolean {
  let state = register().init;
  for (const [at, { operation, began }] of order.entries()) {
    const next = register().step(state, operation)[0];
    if (
      next === undefined ||
      order.slice(at + 1).some(({ ended = Number.POSITIVE_INFINITY }) => ended < began)
    )
      return false;
    state = next;
  }
  return true;
}
