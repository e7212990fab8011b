import t from "tap";
import { runLab } from "./run-lab.ts";

t.test("figures and claims of a system, with source and contradictions", async (t) => {
  const { stdout, code } = await runLab(["published", "--system", "orders"]);
  t.equal(code, 0);
  t.match(
    stdout,
    /worker-scaling +unsaid +peak queue depth +workers 100 +616 +orders +003_df14d39c2c7f7f04\.txt/,
  );
  t.match(stdout, /h34 Peak depth 3,420/);
  t.match(stdout, /worker-scaling; can be tested: model/);
  t.match(stdout, /h37 .*\n +faults: the tests in test\/faults; can be tested: yes/);
  t.match(stdout, /environments \(not in this version\); can be tested: deploy/);
  t.match(stdout, /! 100 workers: .*published 616/);
  t.ok(
    stdout.indexOf("! 100 workers") < stdout.indexOf("h34"),
    "contradictions come before what they are about",
  );
  t.match(stdout, /collection is not part of this repository.*lab\/data\/published/);
  t.notMatch(stdout, "bidding");
  t.notMatch(stdout, "\u001b", "no colour off a terminal");
});

t.test("what this version cannot replay is marked", async (t) => {
  const { stdout } = await runLab(["published", "--system", "geecache"]);
  t.match(stdout, /deploy-time \* +localstack/);
  t.match(stdout, /\* an experiment that is not in this version/);
});

t.test("the auction under contention is replayed", async (t) => {
  const { stdout } = await runLab(["published", "--system", "bidding"]);
  t.match(stdout, /contention +localstack +throughput +users 100 +8512/);
  t.match(stdout, /b03 .*\n +contention; can be tested: yes/);
});

t.test("the figures of orders are each replayed by an experiment", async (t) => {
  const { stdout } = await runLab(["published", "--system", "orders", "--json"]);
  const { figures } = JSON.parse(stdout) as { figures: { experiment: string; in_this_version: boolean }[] };
  const replayed = figures
    .filter(({ in_this_version }) => in_this_version)
    .map(({ experiment }) => experiment);
  t.same([...new Set(replayed)].sort().slice(-2), ["sync-vs-async", "worker-scaling"]);
});

t.test("without the contradictions, for readers who are to find them", async (t) => {
  const { stdout } = await runLab(["published", "--system", "bidding", "--no-contradictions"]);
  t.match(stdout, "130");
  t.notMatch(stdout, "Little's law");
  t.notMatch(stdout, "contradicts itself");
  const json = JSON.parse((await runLab(["published", "--no-contradictions", "--json"])).stdout);
  t.notOk("contradictions" in json);
  t.ok(
    json.figures.every((figure: { in_this_version: unknown }) => typeof figure.in_this_version === "boolean"),
  );
});

t.test("as JSON, of one experiment", async (t) => {
  const { stdout } = await runLab(["published", "--experiment", "contention", "--json"]);
  const published = JSON.parse(stdout);
  t.equal(published.figures.length, 30);
  for (const items of [published.claims, published.contradictions]) {
    t.ok(items.length > 0 && items.every(({ system }: { system: string }) => system === "bidding"));
  }
});

t.test("what is not there is said, with what is", async (t) => {
  t.match(await runLab(["published", "--system", "nope"]), {
    code: 2,
    stderr: /--system nope.*orders, bidding/s,
  });
  t.match(await runLab(["published", "--experiment", "nope"]), {
    code: 2,
    stderr: /--experiment nope.*contention/s,
  });
});
