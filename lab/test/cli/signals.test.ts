import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { LabError } from "../../src/cli/lab-error.ts";
import { isBareInterruption } from "../../src/cli/signals.ts";

t.test("only an interruption that says nothing more is bare", async (t) => {
  const stopped = new LabError("INTERRUPTED", "Interrupted.");
  t.ok(isBareInterruption(stopped));
  const aborted = await sleep(1, undefined, { signal: AbortSignal.abort(stopped) }).catch((error) => error);
  t.ok(isBareInterruption(aborted), "what Node rejects with");
  const said = { reason: "kept in x", remedy: "look at x", detail: ["x"] };
  for (const [name, text] of Object.entries(said)) {
    const kept = new LabError("INTERRUPTED", "The run was interrupted.", { [name]: text });
    t.notOk(isBareInterruption(kept), name);
  }
  t.notOk(isBareInterruption(new LabError("LEFTOVERS", "Processes cannot be ended.")));
  t.notOk(isBareInterruption(new Error("a defect")));
});
