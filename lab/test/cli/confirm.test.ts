import t from "tap";
import { canAsk, confirm } from "../../src/cli/confirm.ts";
import type { CliContext } from "../../src/cli/context.ts";
import { Output } from "../../src/cli/output.ts";

function context(environment: Record<string, string>, isTTY: boolean): CliContext {
  const sink = { write: () => true, isTTY };
  return {
    root: "/",
    environment,
    output: new Output({ stdout: sink, stderr: sink, environment }),
    signal: new AbortController().signal,
    exitWith: () => {},
  };
}

t.test("without a person at a terminal nothing is asked and nothing done", async (t) => {
  for (const [environment, isTTY] of [
    [{}, false],
    [{ CI: "true" }, true],
  ] as const) {
    t.notOk(canAsk(context(environment, isTTY)));
    const question = { question: "Remove it?", declined: "Nothing was removed.", remedy: "Say --yes." };
    await t.rejects(confirm(context(environment, isTTY), question), {
      code: "USAGE",
      exitCode: 2,
      message: "Nothing was removed.",
      remedy: "Say --yes.",
    });
  }
});
