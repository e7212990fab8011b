/**
 * The queue model beside runs that were measured to their end: the study's four rows, compressed, and with less load where they would
 * take hours. Goal: within 5 % at 1, 5, 20 and 100 workers, of the peak depth and of the drain as a bounded watch would have
 * forecast it: the model finishing from the first quarter of the same drain, at the rate that was measured in it. That is what
 * worker-scaling does. The model alone, which knows of payments and nothing else, is shown beside it. Starts a lab of its own;
 * takes a quarter of an hour on a machine with nothing else to do.
 *
 *     node_modules/.bin/node bench/queue-model.ts                    # all rows
 *     node_modules/.bin/node bench/queue-model.ts 100:3 20:5:30      # workers:compression, or workers:compression:seconds of load
 *
 * Compression has two ends: what it makes of 58 orders a second has to be accepted, and what each order takes beside its payment,
 * some milliseconds, does not shrink. A row that was not accepted in time is INVALID, and counts as not shown.
 */

import { join } from "node:path";
import { findOrBuildK6 } from "../lab/src/engines/k6.ts";
import type { Experiment } from "../lab/src/experiments/experiment.ts";
import { checkDrain, type DrainCheck, isClose } from "../lab/src/experiments/orders/drain-check.ts";
import { type OrderTimes, readOrderTimes } from "../lab/src/experiments/orders/order-times.ts";
import { OrdersApi } from "../lab/src/experiments/orders/orders-api.ts";
import { workerScaling } from "../lab/src/experiments/orders/worker-scaling.ts";
import { modelOf } from "../lab/src/experiments/orders/worker-scaling-table.ts";
import { resolveParameters, type Variant } from "../lab/src/experiments/parameters.ts";
import { planRun } from "../lab/src/experiments/plan-run.ts";
import { runExperiment } from "../lab/src/experiments/run-experiment.ts";
import { evenQueue } from "../lab/src/models/queue.ts";
import { rootDir } from "../lab/src/paths.ts";
import { startLab } from "./lib/own-lab.ts";

/** One worker would drain the study's minute for 10,380 s: of ten seconds it drains for seven minutes, four times as fast. */
const ROWS = ["1:4:10", "5:4:20", "20:4:40", "100:2:60"];
const STUDY_SECONDS = 60;
/** Of a drain, for the watch. */
const SHARE = 0.25;
const TOLERANCE_PERCENT = 5;
/** Services configured and restored, the queue seen to be empty, the bundle: of each row. */
const BESIDE_SECONDS = 30;

const rows = (process.argv.length > 2 ? process.argv.slice(2) : ROWS).map((text) => {
  const [workers = 0, compress = 0, seconds = STUDY_SECONDS] = text.split(":").map(Number);
  if (!(workers >= 1 && compress >= 1 && seconds > 0))
    throw new Error(`Write workers:compression or workers:compression:seconds, as 20:5:30, not ${text}`);
  const parameters = { workers, compress, seconds, drain_seconds: 20_000 };
  const variant: Variant = { parameters, services: {} };
  // What cannot be run is told before anything is started.
  planRun(workerScaling, variant);
  const values = resolveParameters(workerScaling, parameters);
  const takes = (seconds + evenQueue(modelOf(values)).drainSeconds) / compress + BESIDE_SECONDS;
  return { name: `${workers} workers, × ${compress}, ${seconds} s of load`, variant, values, takes };
});
for (const { name, takes } of rows) console.error(`${name}: about ${(takes / 60).toFixed(1)} min`);
const minutes = rows.reduce((sum, { takes }) => sum + takes, 0) / 60;
console.error(`together about ${minutes.toFixed(0)} min, and the start of a lab`);

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("Interrupted")));
await using lab = await startLab("process", stop.signal);
const k6 = await findOrBuildK6({ settings: lab.settings, signal: stop.signal, onEvent: () => {} });

/** The experiment as it is; what it works its findings out from is handed on, too. */
function withTimes(onTimes: (times: OrderTimes) => void): Experiment {
  return {
    ...workerScaling,
    async observe(runtime, plan) {
      const observed = await workerScaling.observe(runtime, plan);
      return {
        ...observed,
        async findings(run) {
          await using api = OrdersApi.of(runtime);
          onTimes(await readOrderTimes(run.answersFile, await api.chargesAfter(0)));
          return (await observed.findings?.(run)) ?? {};
        },
      };
    },
  };
}

let within = true;
const table = [["row", "figure", "measured", "model", "off by", `within ${TOLERANCE_PERCENT} %`]];
for (const { name, variant, values } of rows) {
  let times: OrderTimes | undefined;
  const { performance, verdict, directory } = await runExperiment({
    experiment: withTimes((read) => {
      times = read;
    }),
    variant,
    runtime: lab.runtime,
    environment: "local",
    k6,
    faults: [],
    resultsDir: join(rootDir, "results"),
    signal: stop.signal,
    onStage: (text) => console.error(`${name}: ${text}`),
    onRow: () => {},
  });
  console.error(`${verdict.outcome}, ${performance.outcome} ${performance.reasons.join("; ")} ${directory}`);
  if (!times) throw new Error("A run without findings");
  const check = checkDrain(times, values, SHARE);
  const shown = performance.outcome === "valid" && verdict.outcome === "held";
  within &&= shown && isClose(check, TOLERANCE_PERCENT);
  const lines = linesOf(name, check, shown);
  // Should a later row fail, this one has been told.
  for (const cells of lines) console.error(cells.join("\t"));
  table.push(...lines);
}
for (const cells of table) console.log(cells.join("\t"));
console.log(
  within ? `within ${TOLERANCE_PERCENT} % in every row` : `NOT within ${TOLERANCE_PERCENT} % in every row`,
);
process.exitCode = within ? 0 : 1;

function linesOf(name: string, check: DrainCheck, shown: boolean): string[][] {
  const { peakDepth, drainByModel, drainFinished, measuredPerSecond } = check;
  const rate =
    measuredPerSecond === undefined
      ? "workers ÷ payment time: too few payments"
      : `${measuredPerSecond.toPrecision(4)}/s as measured`;
  const line = (figure: string, { measured, model, percent }: DrainCheck["peakDepth"], judged: boolean) => {
    const close = Math.abs(percent) <= TOLERANCE_PERCENT ? "yes" : "NO";
    const told = judged ? (shown ? close : "no: INVALID or not held") : `(${close.toLowerCase()})`;
    return [name, figure, measured.toFixed(0), model.toFixed(0), `${percent.toFixed(1)} %`, told];
  };
  return [
    line("peak depth", peakDepth, true),
    line("drain, s: the model alone", drainByModel, false),
    line(`drain, s: finished from its first quarter at ${rate}`, drainFinished, true),
  ];
}
