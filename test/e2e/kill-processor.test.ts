/**
 * The promise that the pipeline exists for: the processor is killed under the smoke load, twice, in the middle
 * of payments, and nothing is lost and nothing is done twice.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import type { Experiment } from "../../lab/src/experiments/experiment.ts";
import { parseFault } from "../../lab/src/experiments/faults.ts";
import { smoke } from "../../lab/src/experiments/orders/smoke.ts";
import { runExperiment } from "../../lab/src/experiments/run-experiment.ts";
import { anyK6 } from "../lib/own-experiment.ts";
import { ownLab } from "../lib/own-lab.ts";

// Only the first time, where k6 has to be built.
t.setTimeout(900_000);

const k6 = await anyK6(t);

const experiment: Experiment = {
  ...smoke,
  load: () => [{ name: "load", kind: "measured", arrivals: { model: "open", rate: 20 }, seconds: 6 }],
  services: () => ({
    // Half a second a payment: whenever the kill comes, several orders are in hand.
    "orders-payments": { PAYMENT_SECONDS: "0.5", PAYMENT_CONCURRENCY: "0" },
    "orders-processor": { NUM_WORKERS: "20" },
  }),
};

t.test(
  "SIGKILL of the processor under load loses and duplicates nothing",
  { timeout: 300_000 },
  async (t) => {
    const signal = AbortSignal.timeout(280_000);
    const { runtime, directory } = await ownLab(t, { VISIBILITY_TIMEOUT_SECONDS: "2" });
    const { verdict, directory: bundle } = await runExperiment({
      experiment,
      runtime,
      environment: "local",
      k6,
      faults: [parseFault("kill:orders-processor@2s"), parseFault("kill:orders-processor@4s")],
      resultsDir: join(directory, "results"),
      signal,
      onStage: (text) => t.comment(text),
      onRow: () => {},
    });
    t.equal(verdict.outcome, "held", JSON.stringify(verdict.invariants, null, 2));
    const counts = Object.fromEntries(verdict.invariants.map(({ name, counts }) => [name, counts]));
    t.ok((counts["orders-were-completed"]?.completed ?? 0) >= 100, "the load was a real one");

    // The kills must have hit work in hand, else this test would show nothing.
    const log = await waitFor("two lives that ended without an orderly stop", async () => {
      const text = await readFile(join(directory, "logs", "orders-processor.log"), "utf8");
      const count = (part: string) => text.split(part).length - 1;
      const alive = 1;
      return count('"msg":"started"') - count('"msg":"stopping"') - alive === 2 && text;
    });
    t.match(log, /"receive_count":2/, "orders in hand at the kill were delivered again");

    const run = JSON.parse(await readFile(join(bundle, "run.json"), "utf8"));
    t.match(run, { state: "finished", faults: [{ action: "kill" }, { action: "kill" }] });
  },
);
