import t from "tap";
import { changeEach, refusedOnly } from "../../src/bullmq/each-lock.ts";
import { BrokerUnavailable } from "../../src/index.ts";

const lockGone = Object.assign(new Error("Missing lock for job 2. moveToFinished"), { code: -2 });
const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
const full = new Error("OOM command not allowed when used memory > 'maxmemory'.");

function outcomes(ends: Readonly<Record<string, Error | undefined>>) {
  return changeEach(Object.keys(ends), async (receipt) => {
    if (ends[receipt]) throw ends[receipt];
  });
}

t.test("a lock that is gone is a refusal; a connection that is lost or a full Redis is none", async (t) => {
  const { refused, failed } = await outcomes({ a: undefined, b: lockGone, c: reset, d: undefined, e: full });
  t.same(refused, ["b"]);
  t.same(
    [...failed],
    [
      ["c", reset],
      ["e", full],
    ],
  );
});

t.test("of one alone it is the same", async (t) => {
  t.same((await outcomes({ a: lockGone })).refused, ["a"]);
  t.same([...(await outcomes({ a: reset })).failed], [["a", reset]]);
});

t.test("who takes refusals only is told of failures by an error that names the first", async (t) => {
  t.same(refusedOnly(await outcomes({ a: undefined, b: lockGone }), "handed back"), ["b"]);
  const both = await outcomes({ a: lockGone, b: reset, c: full });
  t.throws(() => refusedOnly(both, "handed back"), {
    constructor: BrokerUnavailable,
    message: "2 messages could not be handed back: ECONNRESET",
    cause: reset,
  });
});
