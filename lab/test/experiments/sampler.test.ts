import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import type { AnswerCounter } from "../../src/experiments/k6-run.ts";
import { MetricsCsv, type Row } from "../../src/experiments/metrics-csv.ts";
import { startSampler } from "../../src/experiments/sampler.ts";
import type { LabState, Runtime } from "../../src/runtimes/runtime.ts";

const observed = {
  columns: [],
  sample: async () => ({}),
} as unknown as Parameters<typeof startSampler>[0]["observed"];

t.test("answers a second are a rate, and samples missed by a slow one are not caught up with", async (t) => {
  const began = performance.now();
  const counter = {
    answers: 0,
    errors: 0,
    // Fifty answers a second.
    async read() {
      this.answers = Math.floor((performance.now() - began) / 20);
    },
  };
  let samples = 0;
  const status = async () => {
    samples += 1;
    if (samples === 1) await waitFor("two missed samples", () => performance.now() - began > 2_300);
    return { state: "running" as const, parts: [] };
  };
  const rows: Row[] = [];
  const csv = new MetricsCsv(join(t.testdir(), "metrics.csv"));
  const sampler = startSampler({
    runtime: { status } as unknown as Runtime,
    observed,
    counter: counter as unknown as AnswerCounter,
    csv,
    generatorPid: process.pid,
    onRow: (row) => rows.push(row),
    onLabGone: () => t.fail("it is there"),
  });
  await waitFor("the rows after the slow one", () => rows.length === 3);
  await sampler.stop();
  await csv.close();
  t.equal(rows.length, 4, "at 2.3 s, 3 s, 4 s and the end");
  t.same(
    rows.slice(0, 3).map((row) => Math.floor(Number(row.elapsed_s))),
    [2, 3, 4],
  );
  const rates = rows.slice(1, 3).map((row) => Number(row.answers_per_s));
  t.ok(
    rates.every((rate) => rate > 45 && rate < 55),
    `${rates}`,
  );
});

for (const state of ["stopping", "failed"] satisfies LabState[]) {
  t.test(`a lab that is ${state} ends the run`, async (t) => {
    const csv = new MetricsCsv(join(t.testdir(), "metrics.csv"));
    let told: unknown;
    const sampler = startSampler({
      runtime: { status: async () => ({ state, parts: [] }) } as unknown as Runtime,
      observed,
      counter: { answers: 0, errors: 0, read: async () => {} } as unknown as AnswerCounter,
      csv,
      generatorPid: process.pid,
      onRow: () => {},
      onLabGone: (status) => {
        told = status.state;
      },
    });
    await sampler.stop();
    await csv.close();
    t.equal(told, state);
  });
}
