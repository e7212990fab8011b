/** Runs that do not come to their end leave what there is of them, marked as what it is. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { LabError } from "../../lab/src/cli/lab-error.ts";
import { findBundles, isSkipped, readBundle, unfitReason } from "../../lab/src/experiments/read-bundle.ts";
import { type RunOptions, runExperiment } from "../../lab/src/experiments/run-experiment.ts";
import type { Runtime } from "../../lab/src/runtimes/runtime.ts";
import { commandLine, isAlive, processTable, processTree } from "../../lab/src/util/processes.ts";
import {
  anyK6,
  type OwnExperiment,
  onePartRuntime,
  ownExperiment,
  ownServer,
  runOptions,
} from "../lib/own-experiment.ts";

// Only the first time, where k6 has to be built.
t.setTimeout(700_000);

const k6 = await anyK6(t);
const minute: OwnExperiment = { script: "get.ts", arrivals: { model: "open", rate: 20 }, seconds: 60 };

/** Begins a run and does something to it in the middle; resolves to what became of it. */
async function unfinished(t: Test, own: OwnExperiment, changes: Partial<RunOptions> = {}) {
  const runtime = onePartRuntime(await ownServer(t, (_, response) => void response.end("well")));
  const resultsDir = t.testdir();
  const options = runOptions({ experiment: ownExperiment(own), runtime, k6, resultsDir, ...changes });
  const error = await runExperiment(options).catch((thrown: unknown) => thrown);
  if (!(error instanceof LabError))
    throw new Error("it came to its end, or failed otherwise", { cause: error });
  const [directory = ""] = await findBundles(resultsDir);
  t.match(`${error.remedy} ${error.detail.join(" ")}`, directory, "it says where the bundle is");
  const bundle = await readBundle(directory);
  if (isSkipped(bundle)) throw new Error(bundle.reason);
  return { error, bundle };
}

/** The k6 that this process has started. */
async function k6Below(): Promise<number | undefined> {
  const tree = processTree(await processTable(), process.pid);
  return tree.find(({ pid }) => commandLine(pid)?.startsWith(k6.path))?.pid;
}

t.test("Ctrl-C in the middle of the load: an interrupted run, and no k6 is left", async (t) => {
  const abort = new AbortController();
  let pid: number | undefined;
  const { error, bundle } = await unfinished(t, minute, {
    signal: abort.signal,
    onRow: ({ answers }) => {
      if (Number(answers) === 0) return;
      void k6Below().then((found) => {
        pid ??= found;
        abort.abort();
      });
    },
  });
  t.match(error, { code: "INTERRUPTED", exitCode: 130 });
  t.equal(bundle.run.state, "interrupted");
  t.equal(unfitReason(bundle), "The run was interrupted.");
  t.equal(bundle.verdict, undefined);
  t.same(bundle.metrics, {});
  t.match(await readFile(join(bundle.directory, "answers.jsonl"), "utf8"), /"status":200/);
  t.ok(((await bundle.histograms()).get("load/get")?.totalCount ?? 0) > 0, "latencies until then are kept");
  t.ok(pid !== undefined && !isAlive(pid), `k6 (${pid}) is gone`);
});

t.test("Ctrl-C while the system settles", async (t) => {
  const abort = new AbortController();
  const { error, bundle } = await unfinished(
    t,
    { ...minute, seconds: 1, observed: { drained: async () => false } },
    {
      signal: abort.signal,
      onStage: (text) => {
        if (text.startsWith("settling")) abort.abort();
      },
    },
  );
  t.equal(error.code, "INTERRUPTED");
  t.equal(bundle.run.state, "interrupted");
});

t.test("Ctrl-C while answers are verified", async (t) => {
  const abort = new AbortController();
  const { error, bundle } = await unfinished(
    t,
    { ...minute, seconds: 1 },
    {
      signal: abort.signal,
      onStage: (text) => {
        if (text.startsWith("verifying")) abort.abort();
      },
    },
  );
  t.equal(error.code, "INTERRUPTED");
  t.equal(bundle.run.state, "interrupted");
});

t.test("a lab that is gone while the system settles: the run says so", async (t) => {
  const url = await ownServer(t, (_, response) => void response.end("well"));
  let state: "running" | "stopped" = "running";
  const runtime: Runtime = {
    ...onePartRuntime(url),
    status: async () => ({ runtime: "process", state, profiles: [], since: null, parts: [] }),
  };
  const observed = { drained: async () => false };
  const { error, bundle } = await unfinished(
    t,
    { ...minute, seconds: 1, observed },
    {
      runtime,
      onStage: (text) => {
        if (text.startsWith("settling")) state = "stopped";
      },
    },
  );
  t.match(error, { code: "NOT_RUNNING", message: /The lab stopped in the middle/ });
  t.match(bundle.run, { state: "failed", error: /The lab stopped in the middle/ });
});

t.test("k6 is killed in the middle: a failed run with the ends of all logs", async (t) => {
  let killed = false;
  const { error, bundle } = await unfinished(t, minute, {
    onRow: async ({ answers }) => {
      const pid = await k6Below();
      if (killed || pid === undefined || Number(answers) === 0) return;
      killed = true;
      process.kill(pid, "SIGKILL");
    },
  });
  t.match(error, { code: "COMMAND_FAILED", message: /k6 did not run to its end/ });
  t.match(bundle.run, { state: "failed", error: /k6 did not run to its end/ });
  t.match(unfitReason(bundle), /^The run failed: k6 did not run to its end/);
  t.equal(await readFile(join(bundle.directory, "logs", "server.log"), "utf8"), "a line of its log\n");
});

t.test("a script that does not run: a failed run, and where to read why", async (t) => {
  const { error, bundle } = await unfinished(t, { ...minute, script: "broken.ts" });
  t.equal(error.code, "COMMAND_FAILED");
  t.equal(bundle.run.state, "failed");
  const log = /Read (\S+\.log)\./.exec(error.remedy ?? "")?.[1] ?? "";
  t.match(await readFile(log, "utf8"), /a defect of the script/);
});

t.test("a judge that fails fails the run", async (t) => {
  const judge = async () => {
    throw new Error("the store does not answer");
  };
  const { error, bundle } = await unfinished(t, { ...minute, seconds: 1, observed: { judge } });
  t.match(error, { code: "COMMAND_FAILED", message: /the store does not answer/ });
  t.match(bundle.run, { state: "failed", error: "the store does not answer" });
});

t.test("services get their own configuration back however the run ends", async (t) => {
  const configured: [string, Record<string, string>][] = [];
  const runtime = {
    ...onePartRuntime(await ownServer(t, (_, response) => void response.end("well"))),
    async configure(service: string, environment: Record<string, string>) {
      configured.push([service, environment]);
    },
  };
  const experiment = { ...ownExperiment(minute), services: () => ({ server: { WORKERS: "2" } }) };
  const abort = new AbortController();
  const onRow = () => abort.abort();
  const options = runOptions({
    experiment,
    runtime,
    k6,
    resultsDir: t.testdir(),
    signal: abort.signal,
    onRow,
  });
  await t.rejects(runExperiment(options), { code: "INTERRUPTED" });
  t.same(configured, [
    ["server", { WORKERS: "2" }],
    ["server", {}],
  ]);
  t.equal(await waitFor("k6 to be gone", async () => (await k6Below()) === undefined), true);
});
