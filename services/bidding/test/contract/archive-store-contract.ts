/** What is promised of the archive as it is written: the same on Postgres as in memory. */

import { randomUUID } from "node:crypto";
import type { Test } from "tap";
import type { ArchiveStore } from "../../src/domain/archiving.ts";
import type { AuctionEvent } from "../../src/domain/events.ts";
import { aBid, anEnded, anOpened, aStory } from "../some-events.ts";

/** What is there of an auction. */
export interface Kept {
  /** Of the auction itself: what it was opened and ended with. */
  readonly opened: { readonly item: string; readonly ends_at: number } | undefined;
  readonly ended: { readonly seq: number; readonly bid_id: string | null; readonly at: number } | undefined;
  /** By `seq`. */
  readonly bids: readonly Pick<
    Extract<AuctionEvent, { type: "bid" }>,
    "seq" | "bid_id" | "bidder_id" | "amount" | "at"
  >[];
  readonly conflicts: readonly { readonly type: string; readonly seq: number }[];
}

export type Keeper = (auctionId: string) => Promise<Kept>;

/** Adds the tests to `t`. */
export function archiveStoreContract(t: Test, store: ArchiveStore, kept: Keeper): void {
  t.test("a whole auction in one batch", async (t) => {
    const id = randomUUID();
    const story = aStory(5, id);
    t.same(await store.write(story), { inserted: 7, duplicates: 0, conflicts: [] });
    const { opened, ended, bids, conflicts } = await kept(id);
    t.match(opened, { item: "a lamp", ends_at: story[0]?.at ? story[0].at + 60_000 : 0 });
    const last = story[5] as ReturnType<typeof aBid>;
    t.match(ended, { seq: 5, bid_id: last.bid_id, at: story[6]?.at });
    const sent = story.filter((event) => event.type === "bid");
    t.same(
      bids,
      sent.map(({ seq, bid_id, bidder_id, amount, at }) => ({ seq, bid_id, bidder_id, amount, at })),
    );
    t.same(conflicts, []);
  });

  t.test("again, in one batch or another, nothing changes", async (t) => {
    const id = randomUUID();
    const story = aStory(3, id);
    t.same(await store.write([...story, ...story]), { inserted: 5, duplicates: 5, conflicts: [] });
    const before = await kept(id);
    t.same(await store.write(story.toReversed()), { inserted: 0, duplicates: 5, conflicts: [] });
    t.same(await kept(id), before);
  });

  t.test("the end before the beginning, and bids before both", async (t) => {
    const id = randomUUID();
    for (const event of aStory(2, id).toReversed()) {
      t.match(await store.write([event]), { inserted: 1 });
    }
    const { opened, ended, bids } = await kept(id);
    t.match(opened, { item: "a lamp" });
    t.match(ended, { seq: 2 });
    t.equal(bids.length, 2);
  });

  t.test("an auction that nobody bid on has an end without a winner", async (t) => {
    const id = randomUUID();
    await store.write([anOpened(id), anEnded(id)]);
    t.match((await kept(id)).ended, { seq: 0, bid_id: null });
  });

  t.test("another bid under a seq that is taken is a conflict, kept beside and told once", async (t) => {
    const id = randomUUID();
    const [first, other] = [aBid(id, 1), aBid(id, 1)];
    t.match(await store.write([first, other]), { inserted: 1, duplicates: 0, conflicts: [other] });
    t.same(await store.write([other]), { inserted: 0, duplicates: 1, conflicts: [] });
    const { bids, conflicts } = await kept(id);
    t.match(bids, [{ bid_id: first.bid_id }]);
    t.same(conflicts, [{ type: "bid", seq: 1 }]);
  });

  t.test("the same bid under another seq is a conflict", async (t) => {
    const id = randomUUID();
    const first = aBid(id, 1);
    await store.write([first, aBid(id, 2)]);
    const again = aBid(id, 3, first);
    t.match(await store.write([again]), { inserted: 0, conflicts: [again] });
    t.equal((await kept(id)).bids.length, 2);
  });

  t.test("another end is a conflict, and the first one stays", async (t) => {
    const id = randomUUID();
    const [one, two] = [aBid(id, 1), aBid(id, 2)];
    await store.write([anEnded(id, two)]);
    const other = anEnded(id, one);
    t.match(await store.write([other, anOpened(id)]), { inserted: 1, conflicts: [other] });
    t.match(await kept(id), { ended: { seq: 2 }, conflicts: [{ type: "ended", seq: 1 }] });
  });

  t.test("the largest amount, and text of any kind, come back as they were", async (t) => {
    const id = randomUUID();
    const bid = { ...aBid(id, 1, { bidder_id: `'"\\ {a,b} NULL 𝄞 ٠` }), amount: Number.MAX_SAFE_INTEGER };
    await store.write([bid]);
    t.match((await kept(id)).bids, [{ bidder_id: bid.bidder_id, amount: bid.amount, at: bid.at }]);
  });

  t.test("two writers with the same events at once write each once", async (t) => {
    const ids = Array.from({ length: 5 }, () => randomUUID());
    const stories = ids.map((id) => aStory(20, id));
    const writes = [stories.flat(), stories.toReversed().flat()].map((events) => store.write(events));
    const written = await Promise.all(writes);
    t.equal(
      written.reduce((sum, { inserted }) => sum + inserted, 0),
      5 * 22,
    );
    for (const id of ids) t.equal((await kept(id)).bids.length, 20);
  });
}
