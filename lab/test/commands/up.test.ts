/** What an interrupted start says it has left. */
import t, { type Test } from "tap";
import { LabError } from "../../src/cli/lab-error.ts";
import { Output } from "../../src/cli/output.ts";
import { bringUp } from "../../src/commands/up.ts";
import type { LabState, Runtime } from "../../src/runtimes/runtime.ts";
import { settingsFromEnv } from "../../src/settings.ts";

/** A start that Ctrl-C ends, or that fails by itself, and the lab's state after it; undefined where it cannot be told. */
async function start(t: Test, after: LabState | undefined, error: LabError) {
  const interrupt = new AbortController();
  const runtime: Partial<Runtime> = {
    name: "process",
    async up() {
      if (error.code === "INTERRUPTED") interrupt.abort(error);
      throw error;
    },
    async status() {
      if (after === undefined) throw new Error("no answer");
      return { runtime: "process", state: after, profiles: [], since: null, parts: [] };
    },
  };
  let text = "";
  const sink = { write: (more: string) => (text += more) };
  const output = new Output({ stdout: sink, stderr: sink, environment: {} });
  const settings = settingsFromEnv({ LAB_DIR: t.testdir({}) }, "/");
  const context = { root: "/", environment: {}, output, signal: interrupt.signal, exitWith: () => {} };
  const chosen = { runtime: runtime as Runtime, settings, because: "this is a test" };
  await t.rejects(bringUp(chosen, context), { code: error.code, message: error.message });
  return text;
}

const interrupted = new LabError("INTERRUPTED", "Interrupted.");

t.test("a start that is interrupted says that nothing runs", async (t) => {
  t.match(await start(t, "stopped", interrupted), /\n✓ The lab is stopped\n$/);
});

t.test("of a lab that runs on it says so", async (t) => {
  t.match(await start(t, "degraded", interrupted), /\n! The lab is degraded: see "make status"\n$/);
});

t.test("where that cannot be told, the interruption is what is told", async (t) => {
  t.notMatch(await start(t, undefined, interrupted), /The lab is/);
});

t.test("a start that fails by itself says nothing of it", async (t) => {
  t.notMatch(await start(t, "stopped", new LabError("PART_FAILED", "redis ended.")), /The lab is/);
});
