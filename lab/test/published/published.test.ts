/** The published data is complete, is what was published, and says where it contradicts itself. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { simulateSyncLine } from "../../src/models/sync-line.ts";
import {
  checkPublishedBidding,
  claims,
  contradictions,
  publishedBazaar,
  publishedBidding,
  publishedFigures,
  publishedGeecache,
  publishedOrdersEnvironments,
  publishedOrdersScaling,
  publishedSystems,
} from "../../src/published/index.ts";
import { publishedDir } from "../../src/published/read-published.ts";

const readers: Record<string, (directory?: string) => unknown> = {
  "bazaar.json": publishedBazaar,
  "bidding.json": publishedBidding,
  "claims.json": (directory) => claims({}, directory),
  "geecache.json": publishedGeecache,
  "orders-environments.json": publishedOrdersEnvironments,
  "orders-scaling.json": publishedOrdersScaling,
};

t.test("every file has a reader, and every reader reads its file", async (t) => {
  t.same(readdirSync(publishedDir).sort(), Object.keys(readers));
  for (const read of Object.values(readers)) t.ok(read());
});

t.test("a damaged file is named with its field", async (t) => {
  for (const [file, read] of Object.entries(readers)) {
    const directory = t.testdir({});
    t.throws(() => read(directory), {
      code: "DATA_DAMAGED",
      message: new RegExp(file),
      remedy: /git checkout/,
    });
    writeFileSync(join(directory, file), "{");
    t.throws(() => read(directory), { code: "DATA_DAMAGED", reason: /JSON/ });
    const whole = JSON.parse(readFileSync(join(publishedDir, file), "utf8"));
    if (Array.isArray(whole)) {
      delete whole[3].source;
      writeFileSync(join(directory, file), JSON.stringify(whole));
      t.throws(() => read(directory), { code: "DATA_DAMAGED", message: /3\.source/ });
    } else {
      for (const field of Object.keys(whole)) {
        const { [field]: _left, ...rest } = whole;
        writeFileSync(join(directory, file), JSON.stringify(rest));
        t.throws(() => read(directory), {
          code: "DATA_DAMAGED",
          message: new RegExp(`${file}.* at ${field}`),
        });
      }
    }
  }
});

t.test("a figure of another type, deep inside, is named", async (t) => {
  const directory = t.testdir({});
  mkdirSync(directory, { recursive: true });
  const study = publishedOrdersScaling() as { workers: { peakQueueDepth: unknown }[] };
  (study.workers[3] as { peakQueueDepth: unknown }).peakQueueDepth = "616";
  writeFileSync(join(directory, "orders-scaling.json"), JSON.stringify(study));
  t.throws(() => publishedOrdersScaling(directory), { message: /workers\.3\.peakQueueDepth/ });
});

t.test("claims: ids are unique, each has a source and a system", async (t) => {
  const all = claims();
  t.equal(all.length, 47);
  t.equal(new Set(all.map(({ id }) => id)).size, all.length);
  for (const { source } of all) t.match(source, /^\d{3}_[0-9a-f]+\.txt$/);
  t.same([...new Set(all.map(({ system }) => system))].sort(), [...publishedSystems].sort());
  t.same(
    claims({ system: "orders", experiment: "worker-scaling" }).map(({ id }) => id),
    ["h33", "h34", "h35", "h36"],
  );
  t.equal(claims({ system: "bidding", experiment: "worker-scaling" }).length, 0);
  const directory = t.testdir({ "claims.json": JSON.stringify([all[0], all[0]].map(withoutSystem)) });
  t.throws(() => claims({}, directory), { code: "DATA_DAMAGED", message: /1\.id: o01 is there twice/ });
});

function withoutSystem(claim: object | undefined): object {
  const { system: _, ...rest } = claim as { system: string };
  return rest;
}

t.test(
  "claims and figures of a source are said to be about the system that the source is about",
  async (t) => {
    const systems = new Map(publishedFigures().map(({ source, system }) => [source, system]));
    systems.set(publishedBazaar().source, "bazaar").set(publishedOrdersEnvironments().source, "orders");
    for (const { id, source, system } of claims()) t.equal(systems.get(source), system, id);
  },
);

t.test("contradictions are kept", async (t) => {
  t.equal(contradictions({ system: "orders" }).length, 5);
  t.equal(contradictions({ system: "bidding" }).length, 5);
  t.equal(contradictions({ system: "geecache" }).length, 3);
  t.equal(contradictions().length, 13);
});

t.test("figures: each has a source, a unit and a place", async (t) => {
  for (const figure of publishedFigures()) {
    t.match(figure, { source: /\.txt$/, unit: /./, metric: /./, experiment: /./ });
  }
  t.same(
    publishedFigures({ experiment: "worker-scaling" })
      .filter(({ metric }) => metric === "peak queue depth")
      .map(({ value }) => value),
    [3420, 3277, 2579, 616],
  );
  t.equal(publishedFigures({ system: "bidding" }).length, 32);
});

t.test("synchronous orders: 9 succeeded, and the mean proves it", async (t) => {
  const { sync, workload } = publishedOrdersScaling();
  const run = simulateSyncLine({
    users: workload.users,
    paymentSeconds: workload.paymentSeconds,
    timeoutSeconds: sync.clientTimeoutSeconds,
    seconds: workload.durationSeconds,
  });
  t.match(run, { finished: sync.finishedAsPublished, succeeded: sync.impliedSucceeded, failed: sync.failed });
  t.equal(run.medianMs, sync.medianMs);
  t.equal(Math.round(run.meanMs), 25_345);
  t.ok(Math.abs(run.meanMs / sync.meanMs - 1) < 0.001, "the published mean is 25,365 ms");
  t.equal(sync.attempted, run.finished + run.failed, "49 counts the failures twice");
  t.ok(run.failed / run.finished > 0.65, "two thirds were lost, not 41 %");
});

t.test("two published rows of bidding break Little's law, as their contradictions say", async (t) => {
  const published = publishedBidding();
  const broken = checkPublishedBidding(published).filter(({ holds }) => !holds);
  t.same(
    broken.map(({ environment, users }) => [environment, users]),
    [
      ["localstack", 100],
      ["localstack", 10_000],
    ],
  );
  t.equal(((broken[0]?.impliedMeanSeconds ?? 0) * 1000).toFixed(1), "11.7");
  t.equal(Math.round((broken[1]?.impliedMeanSeconds ?? 0) * 1000), 1026);
  t.match(published.contradictions[0], /11\.7 ms mean.*1,026 ms/);
});
