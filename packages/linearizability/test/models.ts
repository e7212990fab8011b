/** Sequential models of the objects that the literature's examples are about. */

import type { Call, Model } from "../src/index.ts";

/** Without `answer`, the outcome is unknown; a write has none to give but that it was done. */
export type RegisterOperation =
  | { readonly op: "write"; readonly value: number }
  | { readonly op: "read"; readonly answer?: number }
  | { readonly op: "cas"; readonly from: number; readonly to: number; readonly answer?: boolean };

export const register = (init = 0): Model<number, RegisterOperation> => ({
  init,
  step(state, operation) {
    if (operation.op === "write") return [operation.value];
    if (operation.op === "read") return [undefined, state].includes(operation.answer) ? [state] : [];
    const swaps = state === operation.from;
    if (operation.answer !== undefined && operation.answer !== swaps) return [];
    return [swaps ? operation.to : state];
  },
  key: String,
  isRead: ({ op }) => op === "read",
});

export type QueueOperation =
  | { readonly op: "enqueue"; readonly value: string }
  /** Null: it was empty. */
  | { readonly op: "dequeue"; readonly answer?: string | null };

export const queue: Model<readonly string[], QueueOperation> = {
  init: [],
  step(state, operation) {
    if (operation.op === "enqueue") return [[...state, operation.value]];
    const [first = null, ...rest] = state;
    return [undefined, first].includes(operation.answer) ? [rest] : [];
  },
  key: (state) => JSON.stringify(state),
};

/** A bag gives any of what is in it: its next state is not determined by the operation alone. */
export type BagOperation =
  | { readonly op: "put"; readonly value: string }
  | { readonly op: "take"; readonly answer?: string };

export const bag: Model<readonly string[], BagOperation> = {
  init: [],
  step(state, operation) {
    if (operation.op === "put") return [[...state, operation.value].sort()];
    return state.flatMap((value, at) =>
      [undefined, value].includes(operation.answer) ? [state.toSpliced(at, 1)] : [],
    );
  },
  key: (state) => JSON.stringify(state),
};

export function call<Operation>(operation: Operation, began: number, ended?: number): Call<Operation> {
  return { operation, began, ended };
}
