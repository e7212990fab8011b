import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { AnswerTail } from "../../src/experiments/answer-lines.ts";
import { LatencyLog, LatencyRecorder } from "../../src/experiments/latency.ts";
import { schedule } from "../../src/experiments/load-schedule.ts";
import { MetricsCsv, type Row } from "../../src/experiments/metrics-csv.ts";
import { type SamplerOptions, startSampler } from "../../src/experiments/sampler.ts";
import type { LabState, PartUsage, Runtime } from "../../src/runtimes/runtime.ts";

const steps = schedule([
  { name: "load", kind: "measured", arrivals: { model: "open", rate: 50 }, seconds: 60 },
]);

function samplerOptions(t: Test, changes: Partial<SamplerOptions> = {}) {
  // The load begins now.
  const directory = t.testdir({ "answers.jsonl": `{"load_begins":${Date.now()}}\n` });
  const rows: Row[] = [];
  const troubles: Error[] = [];
  const csv = new MetricsCsv(join(directory, "metrics.csv"));
  const log = new LatencyLog(join(directory, "latency.hlog"), new Date());
  const options: SamplerOptions = {
    runtime: runtimeOf([]),
    observed: { sample: async () => ({}) },
    samples: [],
    steps,
    answers: new AnswerTail(join(directory, "answers.jsonl")),
    latencies: new LatencyRecorder(),
    log,
    csv,
    directory,
    generatorPid: process.pid,
    onLoad: () => {},
    onRow: (row) => rows.push(row),
    onTrouble: (error) => troubles.push(error),
    ...changes,
  };
  return { options, rows, troubles, close: () => Promise.all([csv.close(), log.close()]) };
}

function runtimeOf(usages: readonly PartUsage[], state: LabState = "running"): Runtime {
  return {
    usage: async () => usages,
    status: async () => ({ state, parts: [] }),
  } as unknown as Runtime;
}

t.test("answers a second are a rate, and samples missed by a slow one are not caught up with", async (t) => {
  const began = performance.now();
  const answers = {
    answers: 0,
    errors: 0,
    loadBegan: Date.now(),
    // Fifty answers a second.
    async read() {
      this.answers = Math.floor((performance.now() - began) / 20);
    },
  };
  let samples = 0;
  const usage = async () => {
    samples += 1;
    if (samples === 1) await waitFor("two missed samples", () => performance.now() - began > 2_300);
    return [];
  };
  const { options, rows, close } = samplerOptions(t, {
    answers: answers as unknown as AnswerTail,
    runtime: { ...runtimeOf([]), usage } as Runtime,
  });
  const sampler = startSampler(options);
  await waitFor("the rows after the slow one", () => rows.length === 3);
  await sampler.stop();
  await close();
  t.ok(rows.length >= 4, "from 0 s, which took till 2.3 s, at 3 s, 4 s and the end");
  const [first = -1, second = -1, third = -1] = rows.map((row) => Math.floor(Number(row.elapsed_s)));
  t.equal(first, 0);
  t.ok(second >= 3 && third > second, `then at ${second} and ${third} s, none for the seconds missed`);
  const rates = rows.slice(1, 3).map((row) => Number(row.answers_per_s));
  t.ok(
    rates.every((rate) => rate > 45 && rate < 55),
    `${rates}`,
  );
});

for (const state of ["stopping", "failed"] satisfies LabState[]) {
  t.test(`a lab that is ${state} ends the run`, async (t) => {
    const { options, troubles, close } = samplerOptions(t, { runtime: runtimeOf([], state) });
    const sampler = startSampler(options);
    await waitFor("the trouble", () => troubles.length > 0);
    await sampler.stop();
    await close();
    t.match(troubles, [{ code: "NOT_RUNNING" }]);
  });
}

t.test("what parts take is in the rows, and adds up over a restart", async (t) => {
  const usage: PartUsage = {
    name: "orders-receiver",
    cpu_seconds: 10,
    memory_mb: 100,
    network_rx_bytes: null,
    network_tx_bytes: 0,
    throttled_seconds: null,
  };
  const seen = [
    usage,
    { ...usage, cpu_seconds: 12, memory_mb: 300 },
    { ...usage, cpu_seconds: 1, memory_mb: 50 },
  ];
  let taken = 0;
  const runtime = {
    ...runtimeOf([]),
    usage: async () => [seen[Math.min(taken++, seen.length - 1)] as PartUsage],
  } as Runtime;
  const { options, rows, close } = samplerOptions(t, {
    runtime,
    samples: [{ name: "depth", meaning: "messages" }],
    observed: { sample: async () => ({ depth: taken * 10, unknown: 1 }) },
  });
  const sampler = startSampler(options);
  await waitFor("three rows", () => rows.length >= 3);
  await sampler.stop();
  await close();
  const figures = sampler.figures();
  t.match(figures.parts["orders-receiver"], {
    cpu_s: 3,
    memory_mb_max: 300,
    network_rx_mb: null,
    throttled_s: null,
  });
  t.ok((figures.highest.depth ?? 0) >= 20);
  t.notOk("unknown" in figures.highest);
  t.ok((figures.generator.memory_mb_max ?? 0) > 1);
  t.match(rows[0], { step: "load", orders_receiver_cpu_s: 10, orders_receiver_network_tx_bytes: 0 });
  const csv = await readFile(join(options.directory, "metrics.csv"), "utf8");
  const [header, first] = csv.split("\n");
  t.match(
    header,
    /^time,elapsed_s,stage,step,.*,depth,.*,orders_receiver_network_rx_bytes,orders_receiver_network_tx_bytes,/,
  );
  t.match(first, /,,0,$/, "what the system does not tell is empty");
});

t.test("sampling begins with the load, whenever that is", async (t) => {
  const answers = { answers: 0, errors: 0, loadBegan: undefined as number | undefined, read: async () => {} };
  let told: number | undefined;
  const { options, rows, close } = samplerOptions(t, {
    answers: answers as unknown as AnswerTail,
    onLoad: (began) => {
      told = began;
    },
  });
  const before = performance.now();
  const sampler = startSampler(options);
  await waitFor("a while", () => performance.now() - before > 300);
  t.same(rows, []);
  const began = Date.now() - 1500;
  answers.loadBegan = began;
  await waitFor("a row", () => rows.length > 0);
  t.equal(told, began);
  t.ok(Number(rows[0]?.elapsed_s) >= 1.5, `seconds of the load, not of the sampler: ${rows[0]?.elapsed_s}`);
  await sampler.stop();
  await close();
});

t.test("a system that does not answer holds up no other figure", async (t) => {
  const hung = () => new Promise<never>(() => {});
  const { options, rows, close } = samplerOptions(t, {
    samples: [{ name: "depth", meaning: "messages" }],
    observed: { sample: hung },
  });
  const sampler = startSampler(options);
  await waitFor("three rows", () => rows.length === 3);
  await sampler.stop();
  await close();
  t.ok(Number(rows[2]?.elapsed_s) < 6, `${rows[2]?.elapsed_s}`);
  t.equal(rows[2]?.depth, undefined, "and is not known");
});

t.test("a sampler that fails tells so at once, not at the end", async (t) => {
  const { options, troubles, close } = samplerOptions(t, { directory: join(t.testdir(), "absent") });
  const sampler = startSampler(options);
  await waitFor("the trouble", () => troubles.length > 0);
  t.match(troubles, [{ code: "ENOENT" }]);
  await t.rejects(sampler.stop(), { code: "ENOENT" });
  await close();
});
