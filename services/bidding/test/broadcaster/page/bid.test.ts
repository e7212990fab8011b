import t from "tap";

const { placeBid } = await import(new URL("../../../src/broadcaster/page/bid.js", import.meta.url).href);

const bid = { bid_id: "b-1", bidder_id: "ann", amount: 100 };
const accepted = () => Response.json({ bid_id: "b-1", seq: 1, amount: 100 }, { status: 201 });
const problem = (status: number, body: object = {}, headers: Record<string, string> = {}) =>
  Response.json({ status, ...body }, { status, headers });
const broken = () => {
  throw new TypeError("fetch failed");
};

/** Places the bid where it is answered by these in turn, the last of them for ever. */
async function place(...answers: (() => Response)[]) {
  const sent: unknown[] = [];
  const again: number[] = [];
  const pauses: number[] = [];
  const outcome = await placeBid("a-1", bid, {
    async fetch(url: string, { body }: { body: string }) {
      sent.push([url, JSON.parse(body)]);
      return (answers.length > 1 ? answers.shift() : answers[0])?.();
    },
    onSlow: () => again.push(0),
    onAgain: (attempt: number) => again.push(attempt),
    async pause(ms: number) {
      pauses.push(ms);
    },
  });
  return { outcome, sent, again, pauses };
}

t.test("what an answer means; none of these is asked for twice", async (t) => {
  const low = { seq: 3, highest: 120, least: 130 };
  const rows: readonly [answer: () => Response, outcome: object][] = [
    [accepted, { kind: "accepted", seq: 1, amount: 100 }],
    [() => problem(409, low), { kind: "low", ...low }],
    [() => problem(410), { kind: "ended" }],
    [() => problem(404), { kind: "missing" }],
    [
      () => problem(422, { errors: [{ field: "amount", detail: "must be at least 1" }] }),
      { kind: "wrong", errors: [{ field: "amount", detail: "must be at least 1" }] },
    ],
    [() => problem(415, { detail: "No." }), { kind: "failed", detail: "No." }],
  ];
  for (const [answer, outcome] of rows) {
    const placed = await place(answer);
    t.same(placed.outcome, outcome);
    t.equal(placed.sent.length, 1);
  }
});

t.test("when the first answer takes long, that is said, once, and it is waited for", async (t) => {
  const slow = Promise.withResolvers<Response>();
  let said = 0;
  let sent = 0;
  const outcome = await placeBid("a-1", bid, {
    fetch() {
      sent += 1;
      return slow.promise;
    },
    onSlow() {
      said += 1;
      slow.resolve(accepted());
    },
    onAgain: () => t.fail("nothing is sent again"),
    slowMs: 1,
  });
  t.match(outcome, { kind: "accepted" });
  t.same([said, sent], [1, 1]);
});

t.test("without an answer the same bid is sent again, until there is one", async (t) => {
  const { outcome, sent, again } = await place(
    broken,
    () => problem(503),
    () => new Response("<h1>"),
    accepted,
  );
  t.match(outcome, { kind: "accepted", seq: 1 });
  t.same(sent, Array(4).fill(["/auctions/a-1/bids", bid]));
  t.same(again, [2, 3, 4]);
});

t.test("bounded: then it is said whether it may have been placed", async (t) => {
  const down = await place(() => problem(503, { detail: "down" }));
  t.same(down.outcome, { kind: "unreachable" });
  t.equal(down.sent.length, 6);
  t.same((await place(broken)).outcome, { kind: "unknown" });
  const named = await place(() => problem(503, { bid_id: "b-1" }));
  t.same(named.outcome, { kind: "unreachable" }, "which bid it was says nothing of what became of it");
  const told = await place(
    () => problem(503, { bid_id: "b-1", outcome: "unknown" }),
    () => problem(503, { bid_id: "b-1" }),
  );
  t.same(told.outcome, { kind: "unknown" });
  const once = await place(broken, () => problem(503));
  t.same(once.outcome, { kind: "unknown" }, "one attempt is enough to have arrived");
});

t.test("pauses grow, keep to Retry-After, and never grow beyond bounds", async (t) => {
  const { pauses } = await place(() => problem(503));
  t.equal(pauses.length, 5);
  for (const [at, ms] of pauses.entries()) t.ok(ms >= 375 * 2 ** at && ms <= 8000, `${ms}`);
  const told = await place(() => problem(503, {}, { "retry-after": "3" }));
  t.equal(told.pauses[0], 3000);
  const forever = await place(() => problem(503, {}, { "retry-after": "86400" }));
  t.same(forever.pauses, Array(5).fill(8000));
});
