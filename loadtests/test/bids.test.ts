/** What bidders send, without k6: ids, amounts, and what is read of answers. */

import fc from "fast-check";
import t from "tap";
import { z } from "zod";
import { amountAt, bidIds, readAnswer } from "../lib/bids.ts";

const SEED = { seed: 20251129 };

t.test(
  "ids are UUIDs, and two bids have the same one only where run, user and turn are the same",
  async (t) => {
    const run = fc.stringMatching(/^[0-9a-f]{11}$/);
    const user = fc.nat(16 ** 7 - 1);
    const bid = fc.record({ run, user, turn: fc.nat() });
    const idOf = ({ run, user, turn }: { run: string; user: number; turn: number }) =>
      bidIds(run, user)(turn);
    fc.assert(
      fc.property(bid, bid, fc.constantFrom("run", "user", "turn"), (one, other, change) => {
        z.uuid().parse(idOf(one));
        const changed = { ...one, [change]: other[change] };
        t.equal(idOf(changed) === idOf(one), changed[change] === one[change]);
      }),
      SEED,
    );
  },
);

t.test("amounts are whole numbers from 1 on, and exact for a century", async (t) => {
  const century = 100 * 366 * 86_400_000;
  fc.assert(
    fc.property(fc.integer({ min: -10_000, max: century }), (elapsed) => {
      const amount = amountAt(elapsed);
      return Number.isSafeInteger(amount) && amount >= 1;
    }),
    SEED,
  );
  t.pass();
});

/** Of all bids, those above every one before, when they take effect in the order of their times shifted by a queue's wobble. */
function acceptedShare(perSecond: number, wobbleMs: number): number {
  const bids = Array.from({ length: 60_000 }, (_, index) => {
    const at = (index * 1000) / perSecond;
    return {
      amount: amountAt(Math.floor(at)),
      effect: at + Math.random() * wobbleMs,
    };
  }).sort((a, b) => a.effect - b.effect);
  // The late ones of the first second are all the first amount.
  const judged = bids.filter(({ effect }) => effect > 1000);
  let highest = 0;
  let accepted = 0;
  for (const { amount } of judged) {
    if (amount <= highest) continue;
    accepted += 1;
    highest = amount;
  }
  return accepted / judged.length;
}

for (const [perSecond, wobbleMs] of [
  [50, 1],
  [2000, 1],
  [8000, 1],
  [8000, 4],
  [4000, 10],
  [13_000, 4],
] as const) {
  t.test(`${perSecond} bids/s, shuffled by ${wobbleMs} ms: some are accepted and some refused`, async (t) => {
    const share = acceptedShare(perSecond, wobbleMs);
    t.ok(share > 0.1 && share < 0.85, `${share} are accepted`);
  });
}

t.test("of an answer is read what it names, whatever else it is", async (t) => {
  const body = JSON.stringify;
  t.same(readAnswer(201, body({ bid_id: "a", seq: 3, amount: 9 })), {
    answered_id: "a",
    seq: 3,
    answered_amount: 9,
  });
  t.same(readAnswer(409, body({ title: "x", seq: 3, highest: 9, least: 10 })), { seq: 3, highest: 9 });
  t.same(readAnswer(409, body({ seq: 0, highest: null })), { seq: 0, highest: null });
  t.same(readAnswer(201, body({ seq: "3", amount: "9", highest: 9 })), {});
  for (const odd of ["", "<html>", "null", "[]", "3", undefined]) t.same(readAnswer(201, odd), {});
  t.same(readAnswer(503, body({ bid_id: "a", seq: 3 })), {}, "an unknown outcome names no seq");
});
