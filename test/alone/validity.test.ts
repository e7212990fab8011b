/** Each rule of validity is seen to catch its fault, planted into a load that a real k6 makes. */

import { chmod, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import type { K6 } from "../../lab/src/engines/k6.ts";
import { isSkipped, readBundle, unfitReason } from "../../lab/src/experiments/read-bundle.ts";
import { type RunOptions, type RunResult, runExperiment } from "../../lab/src/experiments/run-experiment.ts";
import {
  anyK6,
  type OwnExperiment,
  onePartRuntime,
  ownExperiment,
  ownServer,
  runOptions,
} from "../lib/own-experiment.ts";
import { untilValid } from "../lib/until-valid.ts";

// Only the first time, where k6 has to be built.
t.setTimeout(700_000);

const k6 = await anyK6(t);

const onPosix = process.platform === "win32" && "the program that is run is a shell script";
const programs = t.testdir();
const answerAtOnce: RequestListener = (_, response) => void response.end("well");

interface Planted extends OwnExperiment {
  readonly k6?: K6;
  readonly listener?: RequestListener;
  readonly onRow?: RunOptions["onRow"];
}

async function run(
  t: Test,
  { listener = answerAtOnce, k6: program = k6, onRow = () => {}, ...own }: Planted,
): Promise<RunResult> {
  const runtime = onePartRuntime(await ownServer(t, listener));
  const experiment = ownExperiment(own);
  const result = await runExperiment(
    runOptions({ experiment, runtime, k6: program, resultsDir: t.testdir(), onRow }),
  );
  t.equal(result.verdict.outcome, "held", "correctness is a verdict of its own");
  const bundle = await readBundle(result.directory);
  if (isSkipped(bundle)) throw new Error(bundle.reason);
  t.same(bundle.run.figures, JSON.parse(JSON.stringify(result.figures)), "what is filed is what was told");
  if (result.performance.outcome === "INVALID") {
    t.match(unfitReason(bundle), /^Its figures are INVALID/, "its figures stay out of comparisons");
    t.notOk("latency_p50_ms" in bundle.metrics);
  }
  return result;
}

t.test("a load that nothing is wrong with is valid", async (t) => {
  const load = { script: "get.ts", arrivals: { model: "open", rate: 20 }, seconds: 2 } as const;
  const { performance, figures } = await untilValid(() => run(t, load));
  t.same(performance, { outcome: "valid", reasons: [] });
  t.match(figures.steps, [{ errors: 0, dropped_iterations: 0 }]);
  const answers = figures.steps[0]?.answers ?? 0;
  t.ok(answers >= 40 && answers <= 41, `${answers}: k6 may begin one in the last moment`);
});

t.test("a server that stalls for longer than users stand ready: iterations are dropped", async (t) => {
  let stalled: Promise<void> | undefined;
  const listener: RequestListener = async (_, response) => {
    // From the first request on, one second.
    stalled ??= new Promise((resolve) => setTimeout(resolve, 1000));
    await stalled;
    response.end("well");
  };
  const { performance, figures } = await run(t, {
    script: "get.ts",
    arrivals: { model: "open", rate: 40 },
    seconds: 2,
    listener,
  });
  t.equal(performance.outcome, "INVALID");
  t.match(performance.reasons, [/^\d+ iterations were dropped$/, /iterations\/s were achieved of 40\/s/]);
  t.ok((figures.steps[0]?.dropped_iterations ?? 0) > 5);
});

t.test("answers that are written in another form than is read", async (t) => {
  const { performance, figures } = await run(t, {
    script: "reordered.ts",
    arrivals: { model: "open", rate: 50 },
    seconds: 2,
  });
  t.equal(performance.outcome, "INVALID");
  t.match(performance.reasons, [/^2\d lines of the load generator cannot be read$/]);
  t.match(figures.steps[0]?.performance.reasons, [/of 10\d requests have no line that could be read/]);
});

t.test("requests that are never answered: the rate that was asked for is not achieved", async (t) => {
  let requests = 0;
  // The last five of forty: fewer than the users that stand ready.
  const listener: RequestListener = (_, response) => {
    requests += 1;
    if (requests <= 35) response.end("well");
  };
  const { performance, figures } = await run(t, {
    script: "get.ts",
    arrivals: { model: "open", rate: 20 },
    seconds: 2,
    listener,
  });
  t.equal(performance.outcome, "INVALID");
  t.match(performance.reasons, [/^17\.5 iterations\/s were achieved of 20\/s asked for/]);
  t.equal(figures.steps[0]?.dropped_iterations, 0, "all of them were begun");
});

t.test("users that pause more than the load says: Little's law", async (t) => {
  const { performance } = await run(t, {
    script: "sleep.ts",
    arrivals: { model: "closed", users: 10, think_seconds: 0 },
    seconds: 2,
  });
  t.equal(performance.outcome, "INVALID");
  t.match(performance.reasons, [/^Little's law does not hold within 10 %: 10\.0 users are not/]);
});

t.test("the same pause is no fault when the load says it", async (t) => {
  const arrivals = { model: "closed", users: 10, think_seconds: 0.1 } as const;
  const { performance } = await untilValid(() => run(t, { script: "get.ts", arrivals, seconds: 2 }));
  t.same(performance, { outcome: "valid", reasons: [] });
});

t.test("iterations that wait for the generator, not for the system: Little's law", async (t) => {
  const { performance } = await run(t, {
    script: "held-up.ts",
    arrivals: { model: "open", rate: 50 },
    seconds: 2,
  });
  t.equal(performance.outcome, "INVALID");
  t.match(performance.reasons, [/^Little's law does not hold within 10 %: \d\.\d users under way/]);
});

t.test("a generator that burns all processors is saturated", { skip: onPosix }, async (t) => {
  // Other tests are at work too. With more threads and, where that is allowed, a higher priority k6 gets most of it all.
  const path = join(programs, "k6");
  await writeFile(path, `#!/bin/sh\nGOMAXPROCS=8 exec nice -n -5 "${k6.path}" "$@"\n`);
  await chmod(path, 0o755);
  const machine: number[] = [];
  const { performance, figures } = await run(t, {
    script: "burn.ts",
    arrivals: { model: "closed", users: 16, think_seconds: 0 },
    warmUpSeconds: 1,
    seconds: 3,
    k6: { ...k6, path },
    onRow: ({ step, machine_cpu_share }) => {
      if (step === "load") machine.push(Number(machine_cpu_share));
    },
  });
  const share = figures.generator.cpu_share ?? 0;
  const others = machine.reduce((sum, each) => sum + each, 0) / machine.length - share;
  const told = `k6 took ${share.toFixed(2)} of the processors, others ${others.toFixed(2)}`;
  if (share < 0.8 && others > 0.2) {
    t.pass("the generator is saturated", { skip: `the machine was too busy to plant this: ${told}` });
    return;
  }
  t.equal(performance.outcome, "INVALID");
  t.match(performance.reasons.join("\n"), /the load generator took \d+ % of all processors/, told);
});
