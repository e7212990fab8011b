/**
 * A lab with CONSUMER=lambda: the function is there when `up` says so, experiments run on it, and it is gone for workers when they
 * are asked for.
 */

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { lambdaVsWorkers } from "../../../lab/src/experiments/orders/lambda-vs-workers.ts";
import { OrdersApi } from "../../../lab/src/experiments/orders/orders-api.ts";
import { smoke } from "../../../lab/src/experiments/orders/smoke.ts";
import { parseVariant } from "../../../lab/src/experiments/parameters.ts";
import { runExperiment } from "../../../lab/src/experiments/run-experiment.ts";
import { lambdaClient } from "../../../lab/src/lambda/clients.ts";
import { ORDERS_FUNCTION } from "../../../lab/src/lambda/orders-function.ts";
import { rootDir } from "../../../lab/src/paths.ts";
import { ComposeRuntime } from "../../../lab/src/runtimes/compose/compose-runtime.ts";
import type { LabEvent } from "../../../lab/src/runtimes/runtime.ts";
import { environmentWithDotEnv, settingsFromEnv } from "../../../lab/src/settings.ts";
import { functionLines } from "../../../lab/src/systems/orders/function-lines.ts";
import { brokerAccess, ordersWiring } from "../../../lab/src/systems/orders/order-queue.ts";
import { anOrder } from "../../lib/faults/witness.ts";
import { ownComposeLab } from "../../lib/own-compose-lab.ts";
import { anyK6, runOptions } from "../../lib/own-experiment.ts";

// k6 has to be built the first time.
t.setTimeout(1_800_000);

const lambda = {
  CONSUMER: "lambda",
  EMULATOR: "ministack",
  PAYMENT_SECONDS: "0.2",
  PAYMENT_CONCURRENCY: "0",
};
const { runtime, settings, environment, up } = await ownComposeLab(t, lambda);
const k6 = await anyK6(t);
const api = () => OrdersApi.of(runtime);

/** Resolves to the charges that were made for it. */
async function oneOrderIsPaid(): Promise<number> {
  await using orders = api();
  const { last_seq } = await orders.ledgerSummary();
  const id = randomUUID();
  await orders.placeOrder(anOrder(id));
  await waitFor("the order", async () => (await orders.findOrder(id))?.status === "completed", 60_000);
  return (await orders.chargesAfter(last_seq)).length;
}

async function functionConfiguration() {
  const access = await brokerAccess(runtime);
  if (access.kind !== "sns-sqs") throw new Error("The lab has CONSUMER=lambda");
  const client = lambdaClient(access);
  try {
    return await client.send(new GetFunctionConfigurationCommand({ FunctionName: ORDERS_FUNCTION.name }));
  } finally {
    client.destroy();
  }
}

t.test("the first order goes to the function, no processor runs", async (t) => {
  const events = await up(AbortSignal.timeout(240_000));
  t.match(events.map(({ text }) => text).join("\n"), /Deploying the Lambda function/);
  const { state, parts } = await runtime.status();
  t.equal(state, "running");
  t.notOk(parts.some(({ name }) => name === "orders-processor"));
  t.match(await ordersWiring(runtime), { consumer: "lambda" });
  t.equal(await oneOrderIsPaid(), 1);
  const logs = await functionLines(runtime, { tail: 50, follow: false, signal: AbortSignal.timeout(60_000) });
  const lines = await Array.fromAsync(logs ?? []);
  t.ok(lines.some(({ part, line }) => part === "orders-processor" && line.startsWith("REPORT ")));
});

t.test(
  "lambda-vs-workers finds its cold and its warm orders, and leaves the function as it was",
  async (t) => {
    const before = await functionConfiguration();
    const result = await runExperiment(
      runOptions({
        experiment: lambdaVsWorkers,
        variant: parseVariant("orders=3 payment_seconds=0.2"),
        runtime,
        k6,
        resultsDir: join(settings.labDir, "results"),
        signal: AbortSignal.timeout(300_000),
        onStage: (text) => t.comment(text),
      }),
    );
    t.equal(result.verdict.outcome, "held", JSON.stringify(result.verdict.invariants, null, 2));
    const { findings = {} } = result.figures;
    t.comment(JSON.stringify(findings));
    t.match(findings, { cold_orders: 3, warm_orders: 3, failed_invocations: 0 });
    t.equal(findings.cold_start_trouble, undefined);
    t.ok((findings.warm_total_ms ?? 0) >= 200, "no order takes less than its payment");
    t.ok((findings.cold_total_ms ?? 0) > (findings.warm_total_ms ?? 0), "a new environment takes time");
    const lines = result.beside.filter(({ what }) => what === "total, median");
    t.same(
      lines.map(({ of, measured }) => [of, measured]),
      [
        ["cold", findings.cold_total_ms],
        ["warm", findings.warm_total_ms],
      ],
    );
    t.same((await functionConfiguration()).Environment, before.Environment, "no variable of the run is left");
    const { LastModified } = await functionConfiguration();
    await up(AbortSignal.timeout(240_000));
    t.equal(
      (await functionConfiguration()).LastModified,
      LastModified,
      "the next up finds it as it should be",
    );
  },
);

t.test("the smoke test runs on a lab without a processor, and holds", async (t) => {
  const result = await runExperiment(
    runOptions({
      experiment: smoke,
      // Each order that is in hand is a process of the emulator; others may have the machine.
      variant: parseVariant("rate=5 seconds=4"),
      runtime,
      k6,
      resultsDir: join(settings.labDir, "results"),
      signal: AbortSignal.timeout(300_000),
      onStage: (text) => t.comment(text),
    }),
  );
  t.equal(result.verdict.outcome, "held", JSON.stringify(result.verdict.invariants, null, 2));
});

t.test("the same lab with workers, and with the function again: each order is paid once", async (t) => {
  for (const consumer of ["workers", "lambda"] as const) {
    const settings = settingsFromEnv(
      { ...environmentWithDotEnv(rootDir, process.env), ...environment, CONSUMER: consumer },
      rootDir,
    );
    const changed = new ComposeRuntime(settings);
    const warnings: LabEvent[] = [];
    await changed.up({
      profiles: settings.profiles,
      signal: AbortSignal.timeout(240_000),
      onEvent: (event) => event.kind === "warn" && warnings.push(event),
    });
    const removed = consumer === "lambda" ? [{ part: "orders-processor", text: /removed/ }] : [];
    t.match(warnings, removed, "a part that goes is told");
    t.equal(warnings.length, removed.length);
    const { parts } = await changed.status();
    t.equal(
      parts.some(({ name }) => name === "orders-processor"),
      consumer === "workers",
    );
    t.match(await ordersWiring(changed), { consumer });
    t.equal(await oneOrderIsPaid(), 1);
  }
});
