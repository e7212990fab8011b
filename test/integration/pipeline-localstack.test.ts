/** The orders pipeline in containers, on LocalStack, which keeps what is queued in memory only. */

import t from "tap";
import { ContainerSuite } from "../lib/containers.ts";
import { localstack } from "../lib/emulators.ts";
import { OrdersPipeline } from "../lib/orders-pipeline.ts";
import { pipelineStories } from "../lib/pipeline-stories.ts";

const pipeline = await OrdersPipeline.start(t, await ContainerSuite.open(t), localstack);

pipelineStories(t, pipeline);

t.test(
  "LocalStack is killed: what was queued is lost with it, and orders flow again by themselves",
  async (t) => {
    const since = await pipeline.ledgerEnd();
    const { queued, later } = await pipeline.acrossRestart((emulator) => emulator.kill(), 20);
    await pipeline.allPaidOnce(t, later, since);
    t.equal(
      await pipeline.lost(queued),
      queued.length,
      "all that was queued is lost: this emulator keeps nothing, AWS would keep all",
    );
    t.equal((await pipeline.api.chargesAfter(since)).length, later.length);
  },
);
