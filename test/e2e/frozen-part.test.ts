/** A run whose part is frozen by a fault and thawed by nobody: it settles without the part, and is judged all the same. */

import { join } from "node:path";
import t from "tap";
import { parseFault } from "../../lab/src/experiments/faults.ts";
import { isSkipped, readBundle } from "../../lab/src/experiments/read-bundle.ts";
import { runExperiment } from "../../lab/src/experiments/run-experiment.ts";
import type { Runtime } from "../../lab/src/runtimes/runtime.ts";
import { noneOf, verdictOf } from "../../lab/src/verdicts/verdict.ts";
import { anyK6, onePartRuntime, ownExperiment, ownServer, runOptions } from "../lib/own-experiment.ts";

// Only the first time, where k6 has to be built.
t.setTimeout(900_000);

t.test("it is thawed between settling and judging, once", async (t) => {
  const url = await ownServer(t, (_, response) => response.end("a page"));
  const events: string[] = [];
  let frozen = false;
  const part = { name: "server", kind: "service", state: "running" } as const;
  const lab: Partial<Runtime> = {
    ...onePartRuntime(url),
    status: async () =>
      ({ runtime: "process", state: "running", profiles: [], since: null, parts: [part] }) as never,
    async kill(_, signal) {
      frozen = signal === "SIGSTOP";
      events.push(String(signal));
    },
  };
  const ask = (what: string) => {
    if (events.at(-1) !== what) events.push(what);
    if (frozen) throw new Error("GET got no answer");
  };
  const experiment = ownExperiment({
    script: "get.ts",
    arrivals: { model: "open", rate: 20 },
    seconds: 3,
    observed: {
      async drained() {
        ask("drained");
        return true;
      },
      async judge({ drained }) {
        ask("judge");
        return verdictOf([
          noneOf("judged", [], { checked: 1, counts: { drained: Number(drained) }, detail: "" }),
        ]);
      },
    },
  });
  const result = await runExperiment(
    runOptions({
      experiment: { ...experiment, settleSeconds: 2 },
      runtime: lab as Runtime,
      k6: await anyK6(t),
      resultsDir: join(t.testdir(), "results"),
      faults: [parseFault("stop:server@1s")],
    }),
  );
  t.same(events, ["drained", "SIGSTOP", "drained", "SIGCONT", "drained", "judge"]);
  t.match(result.verdict, { outcome: "held", invariants: [{ counts: { drained: 0 } }] });
  const bundle = await readBundle(result.directory);
  t.notOk(isSkipped(bundle), "the bundle is whole");
});
