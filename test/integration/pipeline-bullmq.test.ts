/** The orders pipeline in containers, on BullMQ, whose Redis keeps what it has acknowledged. */

import t from "tap";
import { bullmqOnRedis } from "../lib/broker-containers.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { OrdersPipeline } from "../lib/orders-pipeline.ts";
import { acrossRestart, pipelineFaults } from "../lib/pipeline-faults.ts";
import { pipelineStories } from "../lib/pipeline-stories.ts";

// Outages last as long as it takes to be dead-lettered: two to three minutes on an idle machine.
t.setTimeout(600_000);

const pipeline = await OrdersPipeline.start(t, await ContainerSuite.open(t), bullmqOnRedis);
const { brokerContainer } = pipeline;

pipelineStories(t, pipeline);
pipelineFaults(t, pipeline);

const ends = [
  ["stopped in order", async () => brokerContainer.stop(15)],
  ["killed", async () => brokerContainer.kill()],
] as const;

for (const [how, end] of ends) {
  t.test(`Redis is ${how} and started again: nothing is lost`, async (t) => {
    const { witness, queued } = await acrossRestart(pipeline, end, 5);
    const count = await witness.holds(t, `broker-${how.replaceAll(" ", "-")}-keeps-all`);
    t.equal(count.completed, queued.length + 5);
  });
}
