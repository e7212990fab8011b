/** The load generator's lines, read as they are written. */

import { join } from "node:path";
import t from "tap";
import { readBidAnswers } from "../../src/verdicts/bidding-answers.ts";

const id = (at: number) => `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`;
const line = (at: number, changes: object = {}) =>
  JSON.stringify({
    at: 1000 + at,
    wall_ms: 5,
    ms: 4.25,
    status: 201,
    step: "load",
    op: "bid",
    id: id(at),
    amount: 100 + at,
    bidder: `bidder-${at % 3}`,
    seq: at + 1,
    answered_id: id(at),
    answered_amount: 100 + at,
    ...changes,
  });

t.test("each bid, its answers and what its line says", async (t) => {
  const lines = [
    '{"load_begins":1000}',
    line(0),
    line(1, { status: 409, seq: 1, highest: 100 }),
    line(2, { status: 0, error: 1050, seq: undefined }),
    line(2),
    JSON.stringify({ at: 1, wall_ms: 1, ms: 1, status: 200, step: "load", op: "look", id: "auction" }),
  ];
  const directory = t.testdir({ "answers.jsonl": `${lines.join("\n")}\n` });
  const { sent, ...read } = await readBidAnswers(join(directory, "answers.jsonl"));
  t.same(read, { lines: 5, unreadable: 0 });
  t.equal(sent.size, 3);
  t.equal(sent.repeated, 1);
  t.match(sent.at(0), {
    told: "accepted",
    amount: 100,
    bidder: "bidder-0",
    seq: 1,
    began: 1000,
    ended: 1006,
  });
  t.match(sent.at(1), { told: "refused", seq: 1, highest: 100 });
  t.match(sent.at(2), { told: "accepted", seq: 3 });
  t.same(
    [...sent.statuses],
    [
      [201, 2],
      [409, 1],
      [0, 1],
    ],
  );
});

t.test("what cannot be read is counted, and the rest is read all the same", async (t) => {
  const lines = [
    "nonsense",
    line(0, { id: "bid-1" }),
    line(1, { amount: undefined }),
    "[]",
    line(2),
    line(3).slice(0, 50),
  ];
  const directory = t.testdir({ "answers.jsonl": lines.join("\n") });
  const { sent, ...read } = await readBidAnswers(join(directory, "answers.jsonl"));
  t.same(read, { lines: 1, unreadable: 5 });
  t.equal(sent.size, 1);
});

t.test("lines are put together again where they were read in pieces", async (t) => {
  const count = 5000;
  // Some MB, in characters of more than one byte.
  const lines = Array.from({ length: count }, (_, at) =>
    line(at, { bidder: `Bieterin-№-${at}-${"ä€".repeat(100)}` }),
  );
  const directory = t.testdir({ "answers.jsonl": lines.join("\n") });
  const { sent, ...read } = await readBidAnswers(join(directory, "answers.jsonl"));
  t.same(read, { lines: count, unreadable: 0 });
  t.equal(sent.at(count - 1).bidder, `Bieterin-№-${count - 1}-${"ä€".repeat(100)}`);
});

t.test("no file, no lines; and it can be stopped", async (t) => {
  const directory = t.testdir({ "answers.jsonl": line(0) });
  t.match(await readBidAnswers(join(directory, "none.jsonl")), { lines: 0, unreadable: 0 });
  await t.rejects(
    readBidAnswers(join(directory, "answers.jsonl"), AbortSignal.abort(new Error("enough"))),
    /enough/,
  );
});
