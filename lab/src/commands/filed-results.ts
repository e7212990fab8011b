/** What `loadtest --json` prints: every run that was filed, also where a later one failed or was interrupted. */

import type { Output } from "../cli/output.ts";
import type { RunResult } from "../experiments/run-experiment.ts";

/**
 * Resolves to the results that `work` has told of, in their order.
 * @param json whether they are printed; of a work that fails, only when there are some
 */
export async function gatherResults(
  output: Pick<Output, "json">,
  json: boolean,
  work: (onResult: (result: RunResult) => void) => Promise<void>,
): Promise<readonly RunResult[]> {
  const results: RunResult[] = [];
  try {
    await work((result) => void results.push(result));
  } catch (error) {
    if (json && results.length > 0) output.json(results);
    throw error;
  }
  if (json) output.json(results);
  return results;
}
