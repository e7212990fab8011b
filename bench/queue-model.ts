/**
 * The queue model beside runs that were measured to their end: the study's four rows, compressed, each as far as this machine carries it.
 * Goal: peak depth and drain within 5 % at 1, 5, 20 and 100 workers. Starts a lab of its own; takes half an hour.
 *
 *     node_modules/.bin/node bench/queue-model.ts                 # all rows
 *     node_modules/.bin/node bench/queue-model.ts 100:3 20:5      # workers:compression
 *
 * Compression has two ends: what it makes of 58 orders a second has to be accepted, and what each order takes beside its payment,
 * some milliseconds, does not shrink. A row that was not accepted in time is INVALID, and counts as not shown.
 */

import { join } from "node:path";
import { findOrBuildK6 } from "../lab/src/engines/k6.ts";
import { type Beside, besideTable } from "../lab/src/experiments/beside.ts";
import { workerScaling } from "../lab/src/experiments/orders/worker-scaling.ts";
import { runExperiment } from "../lab/src/experiments/run-experiment.ts";
import { rootDir } from "../lab/src/paths.ts";
import { startLab } from "./lib/own-lab.ts";

/** One worker drains for 10,380 s of the study: twenty-two minutes at eight times the speed. */
const ROWS = ["100:2", "20:4", "5:6", "1:8"];
const FIGURES = ["peak depth, waiting or in hand", "drain"];
const TOLERANCE = 0.05;

const rows = (process.argv.length > 2 ? process.argv.slice(2) : ROWS).map((text) => {
  const [workers = 0, compress = 0] = text.split(":").map(Number);
  if (!(workers >= 1 && compress >= 1)) throw new Error(`Write workers:compression, as 20:5, not ${text}`);
  return { workers, compress };
});

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("Interrupted")));
await using lab = await startLab("process", stop.signal);
const k6 = await findOrBuildK6({ settings: lab.settings, signal: stop.signal, onEvent: () => {} });

let within = true;
const lines: Beside[] = [];
for (const { workers, compress } of rows) {
  const { beside, performance, verdict, directory } = await runExperiment({
    experiment: workerScaling,
    variant: { parameters: { workers, compress, drain_seconds: 20_000 }, services: {} },
    runtime: lab.runtime,
    environment: "local",
    k6,
    faults: [],
    resultsDir: join(rootDir, "results"),
    signal: stop.signal,
    onStage: (text) => console.error(`${workers} workers, ${compress} times as fast: ${text}`),
    onRow: () => {},
  });
  const figures = beside.filter(({ what }) => FIGURES.includes(what));
  const valid = performance.outcome === "valid" && verdict.outcome === "held";
  const close = figures.every(
    // What the model had a part in does not speak for it.
    ({ measured, how, model = Number.NaN }) =>
      how === undefined && Math.abs((measured ?? Number.NaN) / model - 1) <= TOLERANCE,
  );
  within &&= valid && close && figures.length === FIGURES.length;
  lines.push(...figures.map((line) => ({ ...line, of: `${line.of}, × ${compress}`, published: null })));
  console.error(`${verdict.outcome}, ${performance.outcome} ${performance.reasons.join("; ")} ${directory}`);
}
for (const cells of besideTable(lines)) console.log(cells.join("\t"));
console.log(within ? "within 5 % in every row" : "NOT within 5 % in every row");
process.exitCode = within ? 0 : 1;
