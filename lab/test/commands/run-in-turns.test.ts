/** What runs in turns do before their first run, and that none begins after Ctrl-C. */
import { readdir } from "node:fs/promises";
import t from "tap";
import type { CliContext } from "../../src/cli/context.ts";
import { LabError } from "../../src/cli/lab-error.ts";
import { Output } from "../../src/cli/output.ts";
import { runInTurns } from "../../src/commands/run-in-turns.ts";
import { smoke } from "../../src/experiments/orders/smoke.ts";
import { asItIs, parseVariant } from "../../src/experiments/parameters.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";
import { settingsFromEnv } from "../../src/settings.ts";

t.test("after Ctrl-C the id of the set is known, and no run begins", async (t) => {
  const root = t.testdir();
  let told = "";
  const sink = { write: (text: string) => (told += text) };
  const context: CliContext = {
    root,
    environment: {},
    output: new Output({ stdout: sink, stderr: sink, environment: {} }),
    signal: AbortSignal.abort(new LabError("INTERRUPTED", "Interrupted.")),
    exitWith: () => t.fail("the command ends with the error's code"),
  };
  const running = runInTurns(smoke, {
    context,
    // Nothing of it may be asked for.
    runtime: {} as Runtime,
    settings: settingsFromEnv({ LAB_DIR: root }, root),
    faults: [],
    variant: asItIs,
    against: parseVariant("rate=30"),
    repeats: 5,
  });
  await t.rejects(running, { code: "INTERRUPTED" });
  t.match(told, /5 runs a side in turns; .* make compare RUNS=\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\n$/);
  t.same(await readdir(root), [], "neither a run nor a lock");
});
