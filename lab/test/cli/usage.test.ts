/** The command line as a person meets it: through index.cjs, in a process of its own. */
import { join } from "node:path";
import t from "tap";
import { rootDir } from "../../src/paths.ts";
import { childEnvironment, runCommand } from "../../src/util/run-command.ts";

const lab = (args: string[], env: Record<string, string> = {}) =>
  runCommand(process.execPath, [join(rootDir, "lab", "index.cjs"), ...args], {
    env: { ...childEnvironment(process.env), RUNTIME: "process", LAB_DIR: t.testdirName, ...env },
  });

// Each command is a process of its own, and processors may be shared with much else.
t.setTimeout(300_000);

t.test("what exists is said when something does not", async (t) => {
  t.match(await lab(["statsu"]), { code: 2, stdout: "", stderr: /unknown command.*Did you mean status/s });
  t.match(await lab(["status", "--jsno"]), { code: 2, stderr: /Did you mean --json/ });
  t.match(await lab(["up", "--profile", "nope"]), { code: 2, stderr: /there is: all, orders/ });
  t.match(await lab(["up", "--runtime", "vm"]), {
    code: 2,
    stderr: /must be one of: auto, compose, process/,
  });
  t.match(await lab(["logs", "nope"]), { code: 2, stderr: /orders-receiver/ });
  t.match(await lab(["logs", "--tail", "many"]), { code: 2, stderr: /whole number/ });
});

t.test("a lab that does not run", async (t) => {
  const status = await lab(["status", "--json"]);
  t.equal(status.code, 3);
  t.match(JSON.parse(status.stdout), { runtime: "process", state: "stopped", parts: [] });
  t.match(await lab(["down"]), { code: 0, stderr: /Nothing was running/ });
  t.match(await lab(["clean"]), { code: 2, stderr: /--yes/ });
  t.match(await lab(["clean", "--yes"]), { code: 0 });
  t.match(await lab(["--version"]), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
});

t.test("where no engine answers, the process runtime is meant, and compose says what it needs", async (t) => {
  const silent = { DOCKER_HOST: `unix://${t.testdirName}/no.sock` };
  const auto = await lab(["status", "--json"], { ...silent, RUNTIME: "auto" });
  t.match(JSON.parse(auto.stdout), { runtime: "process", state: "stopped" });
  const compose = await lab(["up"], { ...silent, RUNTIME: "compose" });
  t.match(compose, { code: 5, stderr: /No Docker engine can be used/ });
  t.match(compose.stderr, /RUNTIME=process/);
  const unknown = /No Docker engine answers, and no lab is known to run on one.*There is no engine at unix:/s;
  const down = await lab(["down"], { ...silent, RUNTIME: "compose" });
  t.match(down, { code: 0, stderr: unknown });
  t.notMatch(down.stderr, /Nothing was running/);
  const status = await lab(["status"], { ...silent, RUNTIME: "compose" });
  t.match(status, { code: 3, stdout: unknown });
  t.notMatch(status.stdout, /The lab is stopped/);
  const json = await lab(["status", "--json"], { ...silent, RUNTIME: "compose" });
  t.equal(json.code, 3);
  t.match(JSON.parse(json.stdout), { state: "stopped", no_engine: { reason: /There is no engine/ } });
});

t.test("doctor names invalid settings, and its JSON is JSON alone", async (t) => {
  const doctor = await lab(["doctor", "--json"], { REDIS_PORT: "x" });
  t.equal(doctor.code, 5);
  t.match(JSON.parse(doctor.stdout), { ok: false, findings: [{ check: "settings", state: "fail" }] });
});
