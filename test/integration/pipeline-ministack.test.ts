/** The orders pipeline in containers, on MiniStack, which writes its state down when it is stopped in order. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { ContainerSuite } from "../lib/containers.ts";
import { ministack } from "../lib/emulators.ts";
import { OrdersPipeline } from "../lib/orders-pipeline.ts";
import { pipelineStories } from "../lib/pipeline-stories.ts";

const suite = await ContainerSuite.open(t);
const pipeline = await OrdersPipeline.start(t, suite, (suite) => ministack(suite, { persist: true }));

pipelineStories(t, pipeline);

/** Queued when MiniStack was last stopped in order, and so in what it wrote down. */
let persisted: string[] = [];

t.test("MiniStack is stopped in order and started again: nothing is lost", async (t) => {
  const since = await pipeline.ledgerEnd();
  const { queued, later } = await pipeline.acrossRestart(async (emulator) => {
    t.equal((await emulator.stop(15)).exitCode, 0);
  }, 5);
  persisted = queued;
  await pipeline.allPaidOnce(t, [...queued, ...later], since);
});

t.test("MiniStack is killed: it is back at its last orderly stop, and orders flow again", async (t) => {
  const since = await pipeline.ledgerEnd();
  const { queued, later } = await pipeline.acrossRestart((emulator) => emulator.kill(), 20);
  await pipeline.allPaidOnce(t, later, since);
  t.equal(
    await pipeline.lost(queued),
    queued.length,
    "all of it is lost: the state is written at an orderly stop only",
  );
  // What was queued at the last orderly stop is queued again, although it has been processed and deleted since.
  await waitFor("the old orders to be delivered again", async () => {
    const attempts = await Promise.all(persisted.map((id) => pipeline.attempts(id)));
    return attempts.every((count) => count >= 2);
  });
  t.equal(
    (await pipeline.api.chargesAfter(since)).length,
    later.length,
    "and nobody is charged again for them",
  );
});
