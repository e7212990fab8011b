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
import { brokers } from "../../lab/src/settings.ts";
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

for (const broker of brokers) {
  const title = `SIGKILL of the processor under load loses and duplicates nothing on ${broker}`;
  t.test(title, { timeout: 300_000 }, async (t) => {
    const signal = AbortSignal.timeout(280_000);
    const { runtime, directory } = await ownLab(t, {
      BROKER: broker,
      VISIBILITY_TIMEOUT_SECONDS: "2",
    });
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
    const { parts } = await runtime.status();
    t.equal(parts.find(({ name }) => name === "orders-processor")?.restarts, 2, "two deaths");
    await waitFor("orders in hand at a kill to be delivered again", async () => {
      const log = await readFile(join(directory, "logs", "orders-processor.log"), "utf8");
      return log.includes('"receive_count":2');
    });

    const run = JSON.parse(await readFile(join(bundle, "run.json"), "utf8"));
    t.match(run, { state: "finished", faults: [{ action: "kill" }, { action: "kill" }] });
  });
}
