import t from "tap";
import { gatherResults } from "../../src/commands/filed-results.ts";
import type { RunResult } from "../../src/experiments/run-experiment.ts";

const result = (directory: string) => ({ directory }) as RunResult;

function start() {
  const printed: unknown[] = [];
  return { printed, output: { json: (value: unknown) => void printed.push(value) } };
}

t.test("all results are printed once, when there are no more to come", async (t) => {
  const { printed, output } = start();
  const gathered = await gatherResults(output, true, async (onResult) => {
    onResult(result("one"));
    t.same(printed, []);
    onResult(result("two"));
  });
  t.same(gathered, [result("one"), result("two")]);
  t.same(printed, [gathered]);
});

t.test("of a work that fails those that were filed are printed, and the error is the work's", async (t) => {
  const { printed, output } = start();
  const failing = gatherResults(output, true, async (onResult) => {
    onResult(result("one"));
    throw new Error("the second row fell over");
  });
  await t.rejects(failing, { message: "the second row fell over" });
  t.same(printed, [[result("one")]]);
});

t.test(
  "what fails with nothing filed prints nothing, and nobody who did not ask is given JSON",
  async (t) => {
    const { printed, output } = start();
    const failing = (json: boolean, filed: number) =>
      gatherResults(output, json, async (onResult) => {
        for (let n = 0; n < filed; n += 1) onResult(result("one"));
        throw new Error("it fell over");
      });
    await t.rejects(failing(true, 0));
    await t.rejects(failing(false, 1));
    await gatherResults(output, false, async (onResult) => onResult(result("one")));
    t.same(printed, []);
  },
);
