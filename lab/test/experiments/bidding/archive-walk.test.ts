/** An archive that fills in any order is complete once its last gap is closed, and each of its pages is read once. */

import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { ArchiveWalk } from "../../../src/experiments/bidding/archive-walk.ts";
import type { ArchivePage } from "../../../src/experiments/bidding/bidding-api.ts";

const PAGE = 3;

/** Pages as the gateway makes them. */
function anArchive(...seqs: number[]) {
  const archived = new Set(seqs);
  let asked = 0;
  const api = {
    async archivePage(_auction: string, { cursor = "" }: { readonly cursor?: string | undefined } = {}) {
      asked += 1;
      const before = cursor === "" ? Number.POSITIVE_INFINITY : Number(cursor);
      const found = [...archived].filter((seq) => seq < before).sort((one, other) => other - one);
      const bids = found.slice(0, PAGE).map((seq) => ({ seq, bid_id: "", bidder_id: "", amount: seq }));
      const last = bids.at(-1)?.seq ?? 1;
      const page: ArchivePage = { bids, next_cursor: bids.length === PAGE && last > 1 ? String(last) : null };
      return page;
    },
  };
  return { archived, asked: () => asked, walk: new ArchiveWalk(api, "an auction") };
}

t.test("a bid that comes after newer ones is waited for", async (t) => {
  for (const late of [1, 2, 4, 5, 9, 10]) {
    const all = Array.from({ length: 10 }, (_, at) => at + 1);
    const { archived, walk } = anArchive(...all.filter((seq) => seq !== late));
    t.notOk(await walk.hasAll(10), `without ${late}`);
    t.notOk(await walk.hasAll(10), `still without ${late}`);
    archived.add(late);
    t.ok(await walk.hasAll(10), `with ${late}`);
  }
});

t.test("what was seen is not asked for again, unless another bid came", async (t) => {
  const { archived, asked, walk } = anArchive(1, 2, 3, 4, 5, 6, 7);
  t.ok(await walk.hasAll(7));
  t.equal(asked(), 3);
  t.ok(await walk.hasAll(7));
  t.equal(asked(), 3);
  t.notOk(await walk.hasAll(8));
  archived.add(8);
  t.ok(await walk.hasAll(8));
});

t.test("nothing is complete without a bid; an archive that is ahead is not", async (t) => {
  t.ok(await anArchive().walk.hasAll(0));
  t.notOk(await anArchive().walk.hasAll(1));
  t.notOk(await anArchive(1, 2).walk.hasAll(1));
});

t.test("in whatever order bids are archived, it is complete with the last of them", async () => {
  const order = fc.integer({ min: 1, max: 20 }).chain((most) =>
    fc.shuffledSubarray(
      Array.from({ length: most }, (_, at) => at + 1),
      { minLength: most },
    ),
  );
  await fc.assert(
    fc.asyncProperty(order, async (seqs) => {
      const { archived, walk } = anArchive();
      for (const seq of seqs) {
        assert.equal(await walk.hasAll(seqs.length), false);
        archived.add(seq);
      }
      assert.equal(await walk.hasAll(seqs.length), true);
    }),
    { seed: 2025, numRuns: 200 },
  );
});
