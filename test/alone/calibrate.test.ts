/**
 * The short form of `lab calibrate`, on real runs: comparisons of sets that do not differ are not all called different, and
 * a slow-down of 20 % is found at five repeats. The full form takes an hour: make calibrate PAIRS=100.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { type CalibrationPlan, calibrate } from "../../lab/src/calibration/calibrate.ts";
import { judgeCalibration } from "../../lab/src/calibration/judge-calibration.ts";
import { loadRuns } from "../../lab/src/compare/load-runs.ts";
import { findOrBuildK6 } from "../../lab/src/engines/k6.ts";
import { rootDir } from "../../lab/src/paths.ts";
import { commandLine, isAlive, processTable, processTree } from "../../lab/src/util/processes.ts";
import { childEnvironment, runCommand } from "../../lab/src/util/run-command.ts";
import { checkoutSettings } from "../lib/own-lab.ts";

t.setTimeout(600_000);

const k6 = await findOrBuildK6({
  settings: checkoutSettings(),
  signal: AbortSignal.timeout(280_000),
  onEvent: ({ text }) => t.comment(text),
});

/** A slow service: less of its latency is what else is at work on the machine. */
const plan: CalibrationPlan = {
  pairs: 2,
  slowPairs: 1,
  repeats: 5,
  slowDown: 0.2,
  variant: { parameters: { service_ms: 100, jitter: 0.1, seconds: 1 }, services: {} },
};

t.test("A/A and a slow-down of 20 %", { timeout: 580_000 }, async (t) => {
  const resultsDir = join(t.testdir(), "results");
  let remade = 0;
  const run = (which: CalibrationPlan, id: string) =>
    calibrate({
      id,
      plan: which,
      k6,
      resultsDir,
      signal: AbortSignal.timeout(570_000),
      onRun: () => {},
      onRemake(reasons) {
        remade += 1;
        t.comment(`made again: ${reasons.join("; ")}`);
      },
      onPair: (pair) => t.comment(JSON.stringify(pair)),
    });
  const pairs = await run(plan, "first");
  // By chance alone two false calls of two come once in 16,000 times.
  t.match(judgeCalibration(pairs).false_calls, { pairs: 2, held: true });
  const slow = pairs.filter(({ kind }) => kind === "slow-down");
  // One disturbed run hides a difference at five repeats; to call a difference that is not there takes far more of them.
  for (let attempt = 1; attempt <= 2 && slow.at(-1)?.call !== "worse"; attempt += 1)
    slow.push(...(await run({ ...plan, pairs: 0 }, `again-${attempt}`)));
  t.equal(slow.at(-1)?.call, "worse", "the slow-down was found");

  const all = [...new Set([...pairs, ...slow])].flatMap(({ runs }) => [...runs.a, ...runs.b]);
  const { runs, skipped, primaryMetrics } = await loadRuns([resultsDir]);
  t.equal(skipped.length, remade, "all of them but those that were made again");
  t.same(primaryMetrics, ["latency_p50_ms"]);
  t.equal(runs.length, all.length);
  t.same(
    all.filter((directory) => !runs.some((each) => each.directory === directory)),
    [],
    "each pair stands on bundles that are there",
  );
  const seeds = runs.map(({ about }) => about["parameter seed"]);
  t.equal(new Set(seeds).size, runs.length, "each run draws service times of its own");
});

const lab = join(rootDir, "lab", "index.cjs");
const environment = (labDir: string) => ({
  ...childEnvironment(process.env),
  K6: k6.path,
  LAB_DIR: labDir,
});

t.test("Ctrl-C leaves nothing running and a bundle that says so", { timeout: 60_000 }, async (t) => {
  const directory = t.testdir();
  const results = join(directory, "results");
  const child = spawn(process.execPath, [lab, "calibrate", "--pairs", "1", "--results", results], {
    env: environment(join(directory, "lab")),
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const below = await waitFor(
    "k6 and the service",
    async () => {
      const tree = processTree(await processTable(), child.pid as number).slice(1);
      const lines = tree.map(({ pid }) => commandLine(pid) ?? "");
      return (
        lines.some((line) => line.includes("k6")) &&
        lines.some((line) => line.includes("timed-service")) &&
        tree
      );
    },
    30_000,
  );
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  t.equal(code, 130, stderr);
  t.match(stderr, /interrupted/);
  t.same(below.map(({ pid }) => pid).filter(isAlive), []);
  const bundles = await readdir(join(results, "local", "calibration", "service-time"));
  const { runs, skipped } = await loadRuns([results]);
  t.same(runs, []);
  t.match(skipped, [{ reason: /interrupted/ }]);
  t.equal(bundles.length, 1);
});

t.test("the service ends with a command that is killed", { timeout: 60_000 }, async (t) => {
  const directory = t.testdir();
  const child = spawn(
    process.execPath,
    [lab, "calibrate", "--pairs", "1", "--results", join(directory, "results")],
    {
      env: environment(join(directory, "lab")),
      stdio: "ignore",
    },
  );
  const service = await waitFor(
    "the service",
    async () =>
      processTree(await processTable(), child.pid as number).find(({ pid }) =>
        commandLine(pid)?.includes("timed-service"),
      ),
    30_000,
  );
  child.kill("SIGKILL");
  await once(child, "close");
  await waitFor("its end", () => !isAlive(service.pid), 30_000);
});

t.test("words that make no sense are told before anything is started", async (t) => {
  const told = (...args: string[]) =>
    runCommand(process.execPath, [lab, "calibrate", ...args], {
      env: environment(join(t.testdirName, "lab")),
    });
  t.match(await told("--pairs", "0"), { code: 2, stderr: /--pairs 0: it must be a whole number from 1/ });
  t.match(await told("--repeats", "4"), { code: 2, stderr: /from 5 to 20/ });
  t.match(await told("--set", "seed=1"), { code: 2, stderr: /service_ms, jitter, rate, seconds/ });
  t.match(await told("--set", "timed-service.SERVICE_MS=1"), { code: 2, stderr: /cannot change/ });
  t.match(await told("--set", "speed=1"), { code: 2, stderr: /no parameter "speed"/ });
  t.match(await told("--set", "service_ms=900"), { code: 2, stderr: /cannot be 1080/ });
});
