/** An experiment's rows: one table of all that came to its end, whatever became of the others. */
import t, { type Test } from "tap";
import type { CliContext } from "../../src/cli/context.ts";
import { LabError } from "../../src/cli/lab-error.ts";
import { Output } from "../../src/cli/output.ts";
import { type RowsOptions, runRows } from "../../src/commands/run-rows.ts";
import { workerScaling } from "../../src/experiments/orders/worker-scaling.ts";
import { asItIs } from "../../src/experiments/parameters.ts";
import { rowsOf } from "../../src/experiments/rows.ts";
import type { RunResult } from "../../src/experiments/run-experiment.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";
import { settingsFromEnv } from "../../src/settings.ts";

const rows = rowsOf(workerScaling, asItIs).slice(0, 3);

type Made = (workers: number, abort: () => void) => "held" | "broken" | Error;

function start(t: Test, made: Made, changes: Partial<RowsOptions> = {}) {
  const root = t.testdir();
  const text = { out: "", err: "" };
  const output = new Output({
    stdout: { write: (written: string) => (text.out += written) },
    stderr: { write: (written: string) => (text.err += written) },
    environment: {},
  });
  const interrupt = new AbortController();
  const context: CliContext = {
    root,
    environment: {},
    output,
    signal: interrupt.signal,
    exitWith: () => t.fail("the command says how it ends"),
  };
  const seen: (number | undefined)[] = [];
  const running = runRows(workerScaling, rows, {
    context,
    runtime: {} as Runtime,
    settings: settingsFromEnv({ LAB_DIR: root }, root),
    faults: [],
    async run(_, { variant }) {
      const workers = variant?.parameters.workers ?? 0;
      seen.push(workers);
      const result = made(workers, () => interrupt.abort(new LabError("INTERRUPTED", "Interrupted.")));
      if (result instanceof Error) throw result;
      return resultOf(workers, result);
    },
    ...changes,
  });
  return { running, seen, text };
}

function resultOf(workers: number, outcome: "held" | "broken"): RunResult {
  const result: Partial<RunResult> = {
    verdict: { outcome, invariants: [], observations: [] },
    performance: { outcome: "valid", reasons: [] },
    crossedThresholds: [],
    readings: [],
    figures: {
      steps: [],
      parts: {},
      generator: { cpu_share: null },
      highest: {},
    } as unknown as RunResult["figures"],
    beside: [{ of: `${workers} workers`, what: "drain", unit: "s", measured: 10 * workers, published: 20 }],
    directory: `results/${workers}`,
  };
  return result as RunResult;
}

t.test("all rows in order, one table at the end", async (t) => {
  const { running, seen, text } = start(t, () => "held");
  t.equal((await running).length, 3);
  t.same(seen, [1, 5, 20]);
  t.match(
    text.out,
    /3 rows\n\n.*figure +measured +published +measured ÷ published\n1 workers +drain +10 s +20 +0\.50\n/,
  );
  t.match(text.err, /row 2 of 3, 5 workers: workers=5/);
});

t.test("the table as Markdown", async (t) => {
  const { running, text } = start(t, () => "held", { markdown: true });
  await running;
  t.match(text.out, /\| 5 workers \| drain \| 50 s \| 20 \| 2\.50 \|/);
});

t.test("as JSON nothing is printed here", async (t) => {
  const { running, text } = start(t, () => "held", { json: true });
  await running;
  t.equal(text.out, "");
});

t.test("each row that was filed is told at once, also where others fail", async (t) => {
  const filed: string[] = [];
  const onResult = ({ directory }: RunResult) => void filed.push(directory);
  const { running } = start(t, (workers) => (workers === 5 ? new Error("it fell over") : "held"), {
    onResult,
  });
  await t.rejects(running, { code: "COMMAND_FAILED" });
  t.same(filed, ["results/1", "results/20"]);
});

t.test("a row that fails takes no other with it, and is named in the end", async (t) => {
  const { running, seen, text } = start(t, (workers) => (workers === 5 ? new Error("it fell over") : "held"));
  await t.rejects(running, {
    code: "COMMAND_FAILED",
    message: "1 of 3 rows failed: 5 workers.",
    reason: "it fell over",
    cause: { message: "it fell over" },
  });
  t.same(seen, [1, 5, 20]);
  t.match(text.out, /2 rows/);
  t.match(text.err, /5 workers: it fell over/);
});

t.test("what a row has left in the queue is told, when it fails and after Ctrl-C", async (t) => {
  const left = new LabError("COMMAND_FAILED", "The run failed: it fell over", {
    remedy: "3,412 orders are still queued.",
  });
  const { running, text } = start(t, (workers) => (workers === 5 ? left : "held"));
  await t.rejects(running, { code: "COMMAND_FAILED" });
  t.match(text.err, /5 workers: The run failed: it fell over 3,412 orders are still queued\./);
  const interrupted = start(t, (_, abort) => {
    abort();
    return left;
  });
  await t.rejects(interrupted.running, { code: "INTERRUPTED", remedy: "3,412 orders are still queued." });
});

t.test("a broken row is shown in full, and is a result", async (t) => {
  const { running, text } = start(t, (workers) => (workers === 5 ? "broken" : "held"));
  const results = await running;
  t.equal(results.filter(({ verdict }) => verdict.outcome === "broken").length, 1);
  t.match(text.out, /Correctness: BROKEN/);
  t.match(
    text.out,
    /5 workers +drain[\s\S]*\n {2}! 5 workers: correctness broken, performance valid: do not use these figures\n$/,
    "the table says which of its figures are none",
  );
});

t.test("after Ctrl-C no row begins, and what there is is shown", async (t) => {
  const { running, seen, text } = start(t, (workers, abort) => {
    if (workers === 1) return "held";
    abort();
    return new Error("interrupted");
  });
  await t.rejects(running, { code: "INTERRUPTED", message: "Interrupted: 2 of 3 rows are missing." });
  t.same(seen, [1, 5]);
  t.match(text.out, /1 rows\n\n.*1 workers/s);
});
