/** The orders pipeline in containers, on LocalStack, which keeps what is queued in memory only. */

import t from "tap";
import { snsSqsOn } from "../lib/broker-containers.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { localstack } from "../lib/emulators.ts";
import { OrdersPipeline } from "../lib/orders-pipeline.ts";
import { acrossRestart, pipelineFaults } from "../lib/pipeline-faults.ts";
import { pipelineStories } from "../lib/pipeline-stories.ts";

// Outages last as long as it takes to be dead-lettered: two to three minutes on an idle machine.
t.setTimeout(600_000);

const suite = await ContainerSuite.open(t);
const pipeline = await OrdersPipeline.start(t, suite, async (suite) => snsSqsOn(await localstack(suite)));

pipelineStories(t, pipeline);
pipelineFaults(t, pipeline);

t.test(
  "LocalStack is killed: what was queued is lost with it and told, and orders flow again by themselves",
  async (t) => {
    const { witness, queued } = await acrossRestart(pipeline, () => pipeline.brokerContainer.kill(), 20);
    const count = await witness.tells(t, "broker-sigkill-keeps-nothing", queued.length);
    t.equal(count.completed, 20, "this emulator keeps nothing, AWS would keep all");
    t.equal(count.charges, 20);
  },
);
