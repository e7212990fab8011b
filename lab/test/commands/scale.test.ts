/** What cannot be scaled is refused before anything is asked of a lab. */
import t from "tap";
import { runLab } from "./run-lab.ts";

t.test("scale refuses what makes no sense, and says what would", async (t) => {
  for (const [args, said] of [
    [["--system", "bidding", "--workers", "2"], /no system "bidding" with workers.*\n.*SYSTEM=orders/],
    [["--system", "constructor", "--workers", "2"], /no system "constructor"/],
    [["--workers", "2"], /no system to scale.*\n.*SYSTEM=orders WORKERS=20/],
    [["--system", "orders"], /no number of workers.*\n.*WORKERS=20/],
    [["--system", "orders", "--workers", "0"], /from 1 to 1,000/],
    [["--system", "orders", "--workers", "1001"], /from 1 to 1,000/],
    [["--system", "orders", "--workers", "many"], /from 1 to 1,000.*\n.*WORKERS=20/],
  ] as const) {
    const { code, stderr } = await runLab(["scale", ...args]);
    t.equal(code, 2, stderr);
    t.match(stderr, said);
  }
});

t.test("redrive and queue-depth take whole numbers", async (t) => {
  t.match(await runLab(["redrive", "--limit", "0"]), { code: 2, stderr: /--limit 0.*\n.*LIMIT=10/ });
  t.match(await runLab(["queue-depth", "--for", "1.5"]), {
    code: 2,
    stderr: /--for 1\.5.*\n.*FOR_SECONDS=60/,
  });
});
