/** The orders pipeline in containers, on MiniStack, which writes its state down when it is stopped in order. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { snsSqsOn } from "../lib/broker-containers.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { ministack } from "../lib/emulators.ts";
import { OrdersPipeline } from "../lib/orders-pipeline.ts";
import { acrossRestart, pipelineFaults } from "../lib/pipeline-faults.ts";
import { pipelineStories } from "../lib/pipeline-stories.ts";

// Outages last as long as it takes to be dead-lettered: two to three minutes on an idle machine.
t.setTimeout(600_000);

const suite = await ContainerSuite.open(t);
const pipeline = await OrdersPipeline.start(t, suite, async (suite) =>
  snsSqsOn(await ministack(suite, { persist: true })),
);
const { brokerContainer } = pipeline;

pipelineStories(t, pipeline);
pipelineFaults(t, pipeline);

/** Queued when MiniStack was last stopped in order, and so in what it wrote down. */
let persisted: string[] = [];

t.test("MiniStack is stopped in order and started again: nothing is lost", async (t) => {
  const stop = async () => t.equal((await brokerContainer.stop(15)).exitCode, 0);
  const { witness, queued } = await acrossRestart(pipeline, stop, 5);
  persisted = queued;
  const count = await witness.holds(t, "broker-stopped-keeps-all");
  t.equal(count.completed, queued.length + 5);
});

t.test("MiniStack is killed: it is back at its last orderly stop, and orders flow again", async (t) => {
  const { witness, queued } = await acrossRestart(pipeline, () => brokerContainer.kill(), 20);
  // The state is written at an orderly stop only.
  const count = await witness.tells(t, "broker-sigkill-keeps-nothing-since", queued.length);
  t.equal(count.completed, 20);
  // What was queued at the last orderly stop is queued again, although it has been processed and deleted since.
  await waitFor("the old orders to be delivered again", async () => {
    const orders = await pipeline.api.findOrders(persisted);
    return persisted.every((id) => (orders.get(id)?.attempts ?? 0) >= 2);
  });
  t.equal(await witness.charges(), 20, "and nobody is charged again for them");
});
