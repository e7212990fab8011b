import { waitFor } from "@parallax/testkit";
import t from "tap";
import { choose, chooseEnvironment } from "../../src/experiments/catalogue.ts";
import { checkFaults, injectFaults, LeftByFaults, parseFault } from "../../src/experiments/faults.ts";
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
  const over = new AbortController();
  const options = {
    loadBegan: Promise.resolve(Date.now() - 200),
    over: over.signal,
    onFault: (text: string) => told.push(text),
  };
  const faults = [parseFault("kill:orders-processor@0.3s")];
  const done = await injectFaults(
    faults,
    recordingRuntime(async (part, signal) => void killed.push(`${part} ${signal}`)),
    options,
  );
  t.same(killed, ["orders-processor SIGKILL"]);
  t.match(told, [/kill orders-processor/]);
  t.match(done, [{ action: "kill", atSeconds: 0.3 }]);
  const late = done[0]?.doneAtSeconds ?? 0;
  t.ok(late >= 0.29 && late < 5, `counted from the load's beginning: ${late}`);
  const failing = recordingRuntime(async () => {
    throw new Error("no such process");
  });
  await t.rejects(injectFaults(faults, failing, options), { message: "no such process" });
});

t.test(
  "what is done to one part is done in turn, however long it takes; other parts do not wait",
  async (t) => {
    const done: string[] = [];
    const killing = Promise.withResolvers<void>();
    const runtime = {
      async kill(part: string) {
        if (part === "redis") await killing.promise;
        done.push(`kill ${part}`);
      },
      start: async (part: string) => void done.push(`start ${part}`),
    } as unknown as Runtime;
    const over = new AbortController();
    const injected = injectFaults(
      ["start:redis@0.2s", "kill:redis@0.1s", "kill:nats@0.3s"].map(parseFault),
      runtime,
      { loadBegan: Promise.resolve(Date.now()), over: over.signal, onFault: () => {} },
    );
    await waitFor("the other part", () => done.length === 1);
    over.abort();
    killing.resolve();
    t.match(await injected, [
      { action: "kill", part: "redis" },
      { action: "start", part: "redis" },
      { action: "kill", part: "nats" },
    ]);
    t.same(
      done,
      ["kill nats", "kill redis", "start redis"],
      "what was due before the end is done all the same",
    );
  },
);

t.test("a load that is over, or never began, leaves its faults undone", async (t) => {
  const runtime = recordingRuntime(async () => void t.fail("nothing is to be killed"));
  const faults = [parseFault("kill:orders-processor@600s")];
  for (const loadBegan of [Promise.resolve(Date.now()), new Promise<number>(() => {})]) {
    const over = new AbortController();
    const injected = injectFaults(faults, runtime, { loadBegan, over: over.signal, onFault: () => {} });
    over.abort();
    t.same(await injected, []);
  }
});

t.test(
  "what is frozen in the end is thawed once; an engine that was ended is started only at the end",
  async (t) => {
    const done: string[] = [];
    const part = (name: string, kind: string, state: string) => ({ name, kind, state });
    const runtime = {
      kill: async (part: string, signal?: string) => void done.push(`${signal} ${part}`),
      start: async (part: string) => void done.push(`start ${part}`),
      status: async () => ({
        parts: [
          part("redis", "engine", "stopped"),
          part("postgres", "engine", "running"),
          part("gone", "engine", "stopped"),
        ],
      }),
    } as unknown as Runtime;
    const texts = ["stop:a@1s", "stop:b@1s", "cont:b@2s", "kill:redis@1s", "kill:postgres@1s"];
    const faults = new LeftByFaults(texts.map(parseFault), runtime, () => {});
    t.ok(await faults.thaw());
    t.same(done, ["SIGCONT a"]);
    t.notOk(await faults.thaw(), "nothing is left");
    await faults.undo();
    t.same(done, ["SIGCONT a", "start redis"]);
  },
);

t.test("a part that cannot be thawed is told of, and the rest is undone", async (t) => {
  const told: string[] = [];
  const killing = recordingRuntime(async () => {
    throw new Error("no such process");
  });
  const faults = new LeftByFaults([parseFault("stop:a@1s")], killing, (text) => told.push(text));
  await faults.undo();
  t.same(told, ["thawing a, which a fault has frozen", "a was not thawed: no such process"]);
});

t.test("experiments are chosen by name, and what does not exist is told with what does", async (t) => {
  t.match(choose({}), [{ system: "orders", name: "smoke" }]);
  t.match(choose({ system: "orders", experiment: "smoke" }), [{ name: "smoke" }]);
  t.throws(() => choose({ system: "ordres" }), { code: "USAGE", remedy: /orders/ });
  t.throws(() => choose({ experiment: "smoek" }), { code: "USAGE", remedy: /orders\/smoke/ });
  t.throws(() => choose({ system: "bidding", experiment: "rate-sweep" }), {
    code: "USAGE",
    message: 'There is no experiment "rate-sweep" of bidding.',
    reason: "It is one of orders.",
    remedy: /SYSTEM=orders, or take one of: bidding\/smoke/,
  });
  t.throws(() => choose({ system: "bidding", experiment: "smoek" }), {
    code: "USAGE",
    remedy: /^Take one of: bidding\/smoke/,
  });
  t.equal(chooseEnvironment(), "local");
  t.throws(() => chooseEnvironment("azure"), { code: "USAGE", remedy: /local, aws/ });
});
