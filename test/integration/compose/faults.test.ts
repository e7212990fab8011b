/**
 * Any one container is killed under load, and no order that was acknowledged is lost. The exception is told, not hidden:
 * an emulator keeps its queues in memory, so what a kill takes from it shows in the verdict.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import t, { type Test } from "tap";
import { findOrBuildK6 } from "../../../lab/src/engines/k6.ts";
import { LOAD_BEGINS } from "../../../lab/src/experiments/answer-lines.ts";
import type { Experiment } from "../../../lab/src/experiments/experiment.ts";
import { parseFault } from "../../../lab/src/experiments/faults.ts";
import { smoke } from "../../../lab/src/experiments/orders/smoke.ts";
import { runExperiment } from "../../../lab/src/experiments/run-experiment.ts";
import { type OwnComposeLab, ownComposeLab } from "../../lib/own-compose-lab.ts";
import { checkoutSettings } from "../../lib/own-lab.ts";

t.setTimeout(600_000);

const signal = AbortSignal.timeout(580_000);
const k6 = await findOrBuildK6({
  settings: checkoutSettings(),
  signal,
  onEvent: ({ text }) => t.comment(text),
});

const experiment: Experiment = {
  ...smoke,
  load: () => [{ name: "load", kind: "measured", arrivals: { model: "open", rate: 20 }, seconds: 6 }],
  services: () => ({
    // Half a second a payment: whenever the kill comes, several orders are in hand.
    "orders-payments": { PAYMENT_SECONDS: "0.5", PAYMENT_CONCURRENCY: "0" },
  }),
};

async function run(t: Test, lab: OwnComposeLab, faults: readonly string[]) {
  const { verdict, directory } = await runExperiment({
    experiment,
    runtime: lab.runtime,
    environment: "local",
    k6,
    faults: faults.map(parseFault),
    resultsDir: join(lab.settings.labDir, "results"),
    signal,
    onStage: (text) => t.comment(text),
    onRow: () => {},
  });
  const all = [...verdict.invariants, ...verdict.observations];
  const counts = Object.fromEntries(all.map(({ name, counts }) => [name, counts]));
  return { verdict, directory, counts, text: JSON.stringify(verdict.invariants, null, 2) };
}

t.test("LocalStack", async (t) => {
  const lab = await ownComposeLab(t, { EMULATOR: "localstack", VISIBILITY_TIMEOUT_SECONDS: "3" });
  await lab.up();
  const killed = [
    ["kill:orders-receiver@2s"],
    ["kill:orders-payments@2s"],
    ["kill:orders-processor@2s"],
    ["kill:postgres@2s", "start:postgres@4s"],
    ["kill:redis@2s", "start:redis@4s"],
  ];
  for (const faults of killed) {
    t.test(faults.join(" "), async (t) => {
      const { verdict, counts, text } = await run(t, lab, faults);
      t.equal(verdict.outcome, "held", text);
      t.ok(
        (counts["orders-were-completed"]?.completed ?? 0) >= 20,
        `a real load: ${JSON.stringify(counts.answers)}`,
      );
      t.match(await lab.runtime.status(), { state: "running" }, "the lab is whole again");
    });
  }

  t.test("kill:emulator@2s", async (t) => {
    const { verdict, directory, counts, text } = await run(t, lab, ["kill:emulator@2s", "start:emulator@3s"]);
    const lost = counts["accepted-orders-are-settled"]?.offending ?? 0;
    t.equal(verdict.outcome, lost === 0 ? "held" : "broken", text);
    t.comment(`lost with LocalStack's memory, and told: ${lost}`);
    const answers = gunzipSync(await readFile(join(directory, "answers.jsonl.gz")))
      .toString()
      .trim()
      .split("\n")
      .filter((line) => !line.startsWith(LOAD_BEGINS));
    const statuses = answers.map((line) => JSON.parse(line) as { id: string; status: number });
    const outage = statuses.findIndex(({ status }) => status !== 202);
    t.ok(outage > 0, "clients were told of the outage");
    const settled = verdict.invariants.find(({ name }) => name === "accepted-orders-are-settled");
    for (const id of settled?.examples ?? []) {
      const at = statuses.findIndex((answer) => answer.id === id);
      t.ok(at >= 0 && at < outage, `${id} was lost with the memory, not after the restart`);
    }
    // Another run, as the load of this one may be over before LocalStack has started again.
    const after = await run(t, lab, []);
    t.equal(after.verdict.outcome, "held", "topic, queues and subscription are there again");
    t.ok(
      (after.counts["orders-were-completed"]?.completed ?? 0) >= 20,
      `orders flow again: ${JSON.stringify(after.counts.answers)}`,
    );
  });
});

t.test("MiniStack keeps what is queued when it is stopped in order", async (t) => {
  const lab = await ownComposeLab(t, { EMULATOR: "ministack", VISIBILITY_TIMEOUT_SECONDS: "3" });
  await lab.up();
  const { verdict, counts, text } = await run(t, lab, ["term:emulator@2s", "start:emulator@4s"]);
  t.equal(verdict.outcome, "held", text);
  t.ok(
    (counts["orders-were-completed"]?.completed ?? 0) >= 20,
    `orders flowed before and after: ${JSON.stringify(counts.answers)}`,
  );
});
