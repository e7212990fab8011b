/** The lab in containers without any AWS API, and changing its broker while it runs. */
import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { requireEngine } from "../../../lab/src/docker/engine.ts";
import { OrdersApi } from "../../../lab/src/experiments/orders/orders-api.ts";
import { rootDir } from "../../../lab/src/paths.ts";
import { ComposeRuntime } from "../../../lab/src/runtimes/compose/compose-runtime.ts";
import { listContainers } from "../../../lab/src/runtimes/compose/containers.ts";
import type { LabEvent, Runtime } from "../../../lab/src/runtimes/runtime.ts";
import { environmentWithDotEnv, settingsFromEnv } from "../../../lab/src/settings.ts";
import { brokerAccess, openQueue, ordersWiring } from "../../../lab/src/systems/orders/order-queue.ts";
import { type OwnComposeLab, ownComposeLab } from "../../lib/own-compose-lab.ts";

t.setTimeout(400_000);

const engine = await requireEngine();
const quick = { PAYMENT_SECONDS: "0.1", PAYMENT_CONCURRENCY: "0" };

async function containersOf(project: string): Promise<string[]> {
  return (await listContainers(engine.client, project)).map(({ name }) => name).sort();
}

/** Places an order on the queue and waits until it is paid, once. */
async function takeOneThrough(t: Test, runtime: Runtime): Promise<void> {
  await using api = OrdersApi.of(runtime);
  const order_id = randomUUID();
  const { charges } = await api.ledgerSummary();
  await api.placeOrder({ order_id, customer_id: "a", items: [{ product_id: "b", quantity: 2, price: 3 }] });
  await waitFor(
    "the order to be paid",
    async () => (await api.findOrder(order_id))?.status === "completed",
    30_000,
  );
  const after = await api.ledgerSummary();
  t.equal(after.charges - charges, 1, "an order is accepted, and paid once");
}

t.test("BROKER=bullmq runs without an emulator, and changes to SNS and SQS in place", async (t) => {
  const lab = await ownComposeLab(t, { ...quick, BROKER: "bullmq", EMULATOR: "ministack" });
  await lab.up();
  const { composeProject } = lab.settings;
  const parts = ["orders-payments", "orders-processor", "orders-receiver", "postgres", "redis"];
  t.same(await containersOf(composeProject), parts, "no emulator");
  t.match(await ordersWiring(lab.runtime), { broker: "bullmq", consumer: "workers" });
  await takeOneThrough(t, lab.runtime);
  await using queue = openQueue(await brokerAccess(lab.runtime));
  // The order is completed before its delivery is acknowledged.
  await waitFor("an empty queue", async () => (await queue.depth()).inFlight === 0);
  t.same(await queue.depth(), { visible: 0, inFlight: 0, delayed: 0, deadLettered: 0 });

  await t.test("the same lab with BROKER=sns-sqs", async (t) => {
    const { runtime, up } = changed(lab, { BROKER: "sns-sqs" });
    const events = await up();
    t.same(await containersOf(composeProject), ["emulator", ...parts]);
    const replaced = events.filter(({ text }) => /replaced, as its image or settings/.test(text));
    // All of them when somebody has edited the services' sources meanwhile.
    const rebuilt = events.some(({ text }) => text.startsWith("Building parallax/orders"));
    t.same(
      replaced.map(({ part }) => part).sort(),
      [...(rebuilt ? ["orders-payments"] : []), "orders-processor", "orders-receiver"],
      "those that were replaced are told, and no other",
    );
    t.match(await brokerAccess(runtime), { kind: "sns-sqs", endpoint: runtime.endpoint("emulator") });
    await takeOneThrough(t, runtime);

    // Redis is there with both brokers, so that an experiment can compare them in one lab.
    for (const service of ["orders-receiver", "orders-processor"]) {
      await runtime.configure(service, { BROKER: "bullmq" });
    }
    t.match(await brokerAccess(runtime), { kind: "bullmq", url: runtime.endpoint("redis") });
    await takeOneThrough(t, runtime);
    for (const service of ["orders-receiver", "orders-processor"]) await runtime.configure(service, {});
    t.match(await ordersWiring(runtime), { broker: "sns-sqs" });
  });

  const events = await lab.up();
  t.match(
    events.filter(({ kind }) => kind === "warn"),
    [{ part: "emulator", text: /removed/ }],
    "back again: what is not needed any more goes, and that is told",
  );
  t.same(await containersOf(composeProject), parts);
  const report = await lab.runtime.down();
  t.same(report.killed, []);
  t.same(await containersOf(composeProject), []);
});

/** The same lab by other settings. */
function changed(lab: OwnComposeLab, env: Record<string, string>) {
  const settings = settingsFromEnv(
    { ...environmentWithDotEnv(rootDir, process.env), ...lab.environment, ...env },
    rootDir,
  );
  const runtime = new ComposeRuntime(settings);
  return {
    runtime,
    async up(): Promise<LabEvent[]> {
      const events: LabEvent[] = [];
      const signal = AbortSignal.timeout(120_000);
      await runtime.up({ profiles: ["orders"], signal, onEvent: (event) => events.push(event) });
      return events;
    },
  };
}
