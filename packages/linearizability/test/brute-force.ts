/** Linearizability by its definition: any order of any choice of the calls with unknown outcome. For a handful of calls. */

import type { Call, Model } from "../src/index.ts";

export function isLinearizableByDefinition<State, Operation>(
  model: Model<State, Operation>,
  history: readonly Call<Operation>[],
): boolean {
  const explains = (state: State, left: readonly Call<Operation>[]): boolean => {
    if (left.every(({ ended }) => ended === undefined)) return true;
    return left.some((next, at) => {
      const rest = left.toSpliced(at, 1);
      if (rest.some(({ ended }) => ended !== undefined && ended < next.began)) return false;
      return model.step(state, next.operation).some((after) => explains(after, rest));
    });
  };
  return explains(model.init, history);
}
