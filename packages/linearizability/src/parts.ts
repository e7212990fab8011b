/**
 * Objects that do not touch each other are linearizable together when each is by itself (Herlihy and Wing's locality; for the keys of a
 * map, Horn and Kroening's P-compositionality, 2015). Ten short searches cost less than one long one, by orders of magnitude.
 */

import type { Call, Model } from "./model.ts";
import { type Budget, checkLinearizable, type Verdict } from "./search.ts";

export interface PartsVerdict<Operation, Part> {
  /** Illegal if one part is, else undecided if one part is. */
  readonly outcome: Verdict<Operation>["outcome"];
  readonly parts: ReadonlyMap<Part, Verdict<Operation>>;
}

/**
 * @param partOf the part that an operation touches: one and no other
 * @param modelOf each part's model
 * @param budget of all parts together
 */
export function checkParts<State, Operation, Part>(
  history: readonly Call<Operation>[],
  partOf: (operation: Operation) => Part,
  modelOf: (part: Part) => Model<State, Operation>,
  { steps = 1_000_000, milliseconds = 10_000 }: Budget = {},
): PartsVerdict<Operation, Part> {
  const deadline = performance.now() + milliseconds;
  const parts = new Map<Part, Verdict<Operation>>();
  let stepsLeft = steps;
  for (const [part, calls] of Map.groupBy(history, ({ operation }) => partOf(operation))) {
    const budget = { steps: stepsLeft, milliseconds: Math.max(0, deadline - performance.now()) };
    const verdict = checkLinearizable(modelOf(part), calls, budget);
    stepsLeft -= verdict.steps;
    parts.set(part, verdict);
  }
  const outcomes = new Set([...parts.values()].map(({ outcome }) => outcome));
  const outcome = (["illegal", "undecided"] as const).find((each) => outcomes.has(each)) ?? "linearizable";
  return { outcome, parts };
}
