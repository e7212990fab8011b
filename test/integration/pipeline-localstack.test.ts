/** The orders pipeline in containers, on LocalStack, which keeps what is queued in memory only. */

import { waitFor } from "@parallax/testkit";
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
    const { api, emulator, services } = pipeline;
    const since = await pipeline.ledgerEnd();
    await services["orders-processor"].stop(30);
    const queued = await pipeline.accept(20);
    await emulator.container.kill();
    await emulator.container.start();
    await services["orders-processor"].start();
    const later = await waitFor("orders to be accepted again", () => pipeline.accept(20), 30_000);
    await pipeline.allPaidOnce(t, later, since);
    const lost = queued.length - (await pipeline.completed(queued)).length;
    t.equal(
      lost,
      queued.length,
      "all that was queued is lost: this emulator keeps nothing, AWS would keep all",
    );
    t.equal((await api.chargesAfter(since)).length, later.length);
  },
);
