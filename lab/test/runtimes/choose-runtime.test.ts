/** Which runtime is meant when nothing is said, on a machine where no engine answers. */
import { join } from "node:path";
import t, { type Test } from "tap";
import { labPaths } from "../../src/paths.ts";
import { assertOnlyOn, chooseRuntime } from "../../src/runtimes/choose-runtime.ts";
import { writeComposeState } from "../../src/runtimes/compose/state.ts";
import { settingsFromEnv } from "../../src/settings.ts";

process.env.DOCKER_HOST = `unix://${join(t.testdirName, "no-engine.sock")}`;

const settingsIn = (t: Test, env: Record<string, string> = {}) =>
  settingsFromEnv({ LAB_DIR: t.testdir({}), ...env }, "/");
const composed = (labDir: string) =>
  writeComposeState(labPaths(labDir), {
    phase: "running",
    project: "p",
    profiles: ["orders"],
    since: "then",
    parts: [],
    images: {},
  });

t.test("RUNTIME has the last word", async (t) => {
  for (const name of ["compose", "process"]) {
    const { runtime, because } = await chooseRuntime(settingsIn(t, { RUNTIME: name }));
    t.equal(runtime.name, name);
    t.equal(because, `RUNTIME=${name}`);
  }
});

t.test("without an engine it is the process runtime, and the reason is given", async (t) => {
  const { runtime, because } = await chooseRuntime(settingsIn(t));
  t.equal(runtime.name, "process");
  t.match(because, /There is no engine at unix:.*no-engine\.sock$/);
});

t.test("a lab that was started in containers stays theirs when the engine is stopped", async (t) => {
  const settings = settingsIn(t);
  composed(settings.labDir);
  const { runtime } = await chooseRuntime(settings);
  t.equal(runtime.name, "compose");
  t.match(await runtime.status(), { state: "failed", failure: { what: /engine does not answer/ } });
  await t.rejects(runtime.down(), { code: "LEFTOVERS", remedy: /Start the engine/ });
});

t.test("a lab whose containers do not run is no hindrance to processes", async (t) => {
  const settings = settingsIn(t);
  await assertOnlyOn(settings, "process");
  await assertOnlyOn(settings, "compose");
  composed(settings.labDir);
  await assertOnlyOn(settings, "process");
});
