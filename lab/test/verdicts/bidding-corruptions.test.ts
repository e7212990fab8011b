/** A correct run is held; and with any one thing in it wrong, the verdict finds it, in the place where it belongs. */

import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { seededRandom } from "../../src/models/seeded-random.ts";
import { judgeBidding } from "../../src/verdicts/bidding-conservation.ts";
import type { Outcome } from "../../src/verdicts/verdict.ts";
import { corruptBids } from "./corrupt-bids.ts";
import { corruptStores } from "./corrupt-stores.ts";
import { found } from "./corruption.ts";
import { evidenceOf, type Story, simulateAuction } from "./simulated-auction.ts";

const seeds = Array.from({ length: 12 }, (_, at) => 100 + at);

function outcomesOf(story: Story): Record<string, Outcome> {
  const { outcome, invariants } = judgeBidding(evidenceOf(story));
  return { verdict: outcome, ...Object.fromEntries(invariants.map((each) => [each.name, each.outcome])) };
}

t.test("runs as they should be are held, whatever their seed, their rules and their losses", async () => {
  const options = fc.record({
    bids: fc.integer({ min: 30, max: 400 }),
    lost: fc.double({ min: 0, max: 0.3, noNaN: true }),
    late: fc.nat({ max: 10 }),
    startingPrice: fc.integer({ min: 1, max: 1000 }),
    minIncrement: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(fc.integer(), options, (seed, options) => {
      const outcomes = outcomesOf(simulateAuction(seed, options));
      assert.deepEqual([...new Set(Object.values(outcomes))], ["held"], JSON.stringify(outcomes));
    }),
    { seed: 2025, numRuns: 300 },
  );
});

for (const { what, finds, as = "broken", wrong } of [...corruptBids, ...corruptStores]) {
  t.test(what, async (t) => {
    const missed = seeds.filter((seed) => {
      const story = simulateAuction(seed);
      const random = seededRandom(seed);
      wrong(story, (from) => found(from[Math.floor(random() * from.length)]));
      const outcomes = outcomesOf(story);
      return outcomes[finds] !== as || outcomes.verdict !== as;
    });
    t.same(missed, [], `found by ${finds}, in each of ${seeds.length} runs`);
  });
}
