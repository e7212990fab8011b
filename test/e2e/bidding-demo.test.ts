/** What `make demo` shows of bidding, and that it says so when the archive does not come. */

import t from "tap";
import { Output } from "../../lab/src/cli/output.ts";
import { showBidding } from "../../lab/src/commands/demo-bidding.ts";
import { ownLab } from "../lib/own-lab.ts";

// Only where NATS or Redis has to be fetched first.
t.setTimeout(300_000);

const { runtime } = await ownLab(t, { PROFILE: "bidding" });

function context() {
  const printed: string[] = [];
  const sink = { write: (text: string) => printed.push(text) };
  const output = new Output({ stdout: sink, stderr: sink, environment: {} });
  const signal = AbortSignal.timeout(120_000);
  const rest = { root: "/", environment: {}, exitWith: () => {} };
  return { printed, context: { ...rest, output, signal } };
}

t.test("an auction is shown from its first bid to the archive", async (t) => {
  const { printed, context: own } = context();
  await showBidding(runtime, own);
  const text = printed.join("");
  const live = runtime.endpoint("bidding-broadcaster");
  t.match(text, `watch it: ${live}/auctions/`);
  t.match(
    text,
    new RegExp(
      [
        "201 opened by the gateway",
        "live: .*nobody has bid yet",
        "201 ada bids 10,000: accepted as number 1",
        "live: 10,000",
        "409 ben's 10,200 is refused: it takes 10,500",
        "201 ben bids 12,000: accepted as number 2",
        "live: 12,000",
        "live: it is over, and goes to ben for 12,000",
        "410 ada's 99,000 comes too late",
        "1 ada 10,000, 2 ben 12,000",
      ].join("[^]*\\n.*"),
    ),
  );
});

t.test("Ctrl-C ends it", async (t) => {
  const { printed, context: own } = context();
  const stop = new AbortController();
  const showing = showBidding(runtime, { ...own, signal: stop.signal });
  // Where it waits longest: for the end of the auction.
  const waiting = setInterval(() => {
    if (printed.join("").includes("accepted as number 2")) stop.abort(new Error("Ctrl-C"));
  }, 10);
  t.teardown(() => clearInterval(waiting));
  await t.rejects(showing, { name: "AbortError" });
});

t.test("an archive that does not come is an error that says what to do", async (t) => {
  const { context: own } = context();
  await runtime.stop("bidding-archiver");
  await t.rejects(showBidding(runtime, own), { code: "COMMAND_FAILED", remedy: /make status/ });
});
