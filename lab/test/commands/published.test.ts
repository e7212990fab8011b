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
  t.match(stdout, /! 100 workers: .*published 616/);
  t.notMatch(stdout, "bidding");
  t.notMatch(stdout, "\u001b", "no colour off a terminal");
});

t.test("as JSON, of one experiment", async (t) => {
  const { stdout } = await runLab(["published", "--experiment", "contention", "--json"]);
  const published = JSON.parse(stdout);
  t.equal(published.figures.length, 30);
  t.ok(published.claims.every(({ system }: { system: string }) => system === "bidding"));
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
