/** Many objects that do not touch each other, each by itself. */

import fc from "fast-check";
import t from "tap";
import { type Call, checkLinearizable, checkParts, type Model } from "../src/index.ts";
import { call, type RegisterOperation, register } from "./models.ts";

type KeyedOperation = RegisterOperation & { readonly key: string };

const keyOf = ({ key }: KeyedOperation) => key;
const modelOf = (): Model<number, KeyedOperation> => register();

/** All keys as one object: what the parts have to come to together. */
const whole: Model<Readonly<Record<string, number>>, KeyedOperation> = {
  init: {},
  step: (state, operation) =>
    register()
      .step(state[operation.key] ?? 0, operation)
      .map((value) => ({ ...state, [operation.key]: value })),
  key: (state) => JSON.stringify(Object.entries(state).sort()),
};

t.test("one illegal part makes it illegal, and is named", async (t) => {
  const history = [
    call({ key: "a", op: "write", value: 1 } as const, 0, 1),
    call({ key: "b", op: "write", value: 1 } as const, 2, 3),
    call({ key: "a", op: "read", answer: 1 } as const, 4, 5),
    call({ key: "b", op: "read", answer: 0 } as const, 6, 7),
  ];
  const verdict = checkParts<number, KeyedOperation, string>(history, keyOf, modelOf);
  t.equal(verdict.outcome, "illegal");
  t.equal(verdict.parts.get("a")?.outcome, "linearizable");
  t.equal(verdict.parts.get("b")?.outcome, "illegal");
});

t.test("the budget is that of all parts together", async (t) => {
  const keys = Array.from({ length: 10 }, (_, at) => `key-${at}`);
  const history = keys.map((key) => call({ key, op: "write", value: 1 } as const, 0, 1));
  const verdict = checkParts<number, KeyedOperation, string>(history, keyOf, modelOf, { steps: 5 });
  t.equal(verdict.outcome, "undecided");
  const outcomes = [...verdict.parts.values()].map(({ outcome }) => outcome);
  t.same(
    Object.entries(Object.groupBy(outcomes, (each) => each)).map(([name, all]) => [name, all?.length]),
    [
      ["linearizable", 5],
      ["undecided", 5],
    ],
  );
});

t.test("part by part it is what it is as a whole", async (t) => {
  const found = { linearizable: 0, illegal: 0, undecided: 0 };
  const value = fc.integer({ min: 0, max: 2 });
  const operation = fc.oneof(
    fc.record({ op: fc.constant("write" as const), value }),
    fc.record({ op: fc.constant("read" as const), answer: value }),
  );
  const one: fc.Arbitrary<Call<KeyedOperation>> = fc
    .record({
      operation,
      key: fc.constantFrom("a", "b", "c"),
      began: fc.nat({ max: 40 }),
      took: fc.option(fc.nat({ max: 20 }), { nil: undefined }),
    })
    .map(({ operation, key, began, took }) =>
      call({ ...operation, key }, began, took === undefined ? undefined : began + took),
    );
  fc.assert(
    fc.property(fc.array(one, { maxLength: 8 }), (history) => {
      const { outcome } = checkParts<number, KeyedOperation, string>(history, keyOf, modelOf);
      found[outcome] += 1;
      return outcome === checkLinearizable(whole, history).outcome;
    }),
    { seed: 2015, numRuns: 2000 },
  );
  t.ok(found.linearizable > 100 && found.illegal > 100, JSON.stringify(found));
});
