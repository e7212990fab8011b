import t from "tap";
import { choose, chooseEnvironment } from "../../src/experiments/catalogue.ts";
import { checkFaults, injectFaults, parseFault } from "../../src/experiments/faults.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";

/** As much of a runtime as faults need. */
function recordingRuntime(kill: Runtime["kill"]): Runtime {
  const status = async () => ({ parts: [{ name: "orders-processor" }] });
  return { status, kill } as unknown as Runtime;
}

t.test("a fault is read as it is written", async (t) => {
  t.same(parseFault("kill:orders-processor@3s"), {
    part: "orders-processor",
    action: "kill",
    atSeconds: 3,
  });
  t.same(parseFault("stop:redis@0.5"), { part: "redis", action: "stop", atSeconds: 0.5 });
});

for (const text of [
  "",
  "kill",
  "kill:x",
  "maim:x@3s",
  "kill:x@-1s",
  "kill:x@3h",
  "kill:X@3s",
  "kill:x@3s;rm",
]) {
  t.test(`${JSON.stringify(text)} is no fault`, async (t) => {
    t.throws(() => parseFault(text), { code: "USAGE" });
  });
}

t.test("a fault that would hit nothing is refused before anything runs", async (t) => {
  const runtime = recordingRuntime(async () => {});
  const fault = parseFault("kill:orders-processor@3s");
  await t.resolves(checkFaults([fault], runtime, 10));
  await t.rejects(checkFaults([{ ...fault, part: "nobody" }], runtime, 10), {
    code: "USAGE",
    message: /nobody/,
  });
  await t.rejects(checkFaults([{ ...fault, atSeconds: 10 }], runtime, 10), { code: "USAGE" });
});

t.test("faults are injected, and one that fails fails the run", async (t) => {
  const killed: string[] = [];
  const told: string[] = [];
  const options = { signal: new AbortController().signal, onFault: (text: string) => told.push(text) };
  const faults = [parseFault("kill:orders-processor@0.01s")];
  await injectFaults(
    faults,
    recordingRuntime(async (part, signal) => void killed.push(`${part} ${signal}`)),
    options,
  );
  t.same(killed, ["orders-processor SIGKILL"]);
  t.match(told, [/kill orders-processor/]);
  const failing = recordingRuntime(async () => {
    throw new Error("no such process");
  });
  await t.rejects(injectFaults(faults, failing, options), { message: "no such process" });
});

t.test("experiments are chosen by name, and what does not exist is told with what does", async (t) => {
  t.match(choose({}), [{ system: "orders", name: "smoke" }]);
  t.match(choose({ system: "orders", experiment: "smoke" }), [{ name: "smoke" }]);
  t.throws(() => choose({ system: "ordres" }), { code: "USAGE", remedy: /orders/ });
  t.throws(() => choose({ experiment: "smoek" }), { code: "USAGE", remedy: /orders\/smoke/ });
  t.equal(chooseEnvironment(), "local");
  t.throws(() => chooseEnvironment("azure"), { code: "USAGE", remedy: /local, aws/ });
});
