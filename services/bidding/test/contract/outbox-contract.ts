/** What is promised of the outbox and of the relay's lease: the same in Redis as in memory. */

import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import type { AuctionEvent } from "../../src/domain/events.ts";
import {
  type ArchivedOutbox,
  BEGINNING,
  compareIds,
  eventOf,
  type Lease,
  type Outbox,
} from "../../src/domain/outbox.ts";
import { aStory } from "../some-events.ts";

export interface OutboxUnderTest {
  readonly outbox: Outbox;
  readonly archived: ArchivedOutbox;
  readonly lease: Lease;
  /** @returns the id of its entry */
  append(event: AuctionEvent): Promise<string>;
}

/** Adds the tests to `t`; the outbox is empty before and after. */
export function outboxContract(t: Test, { outbox, archived, lease, append }: OutboxUnderTest): void {
  t.test("events come out as they went in, in pages, in their order", async (t) => {
    const story = aStory(4, randomUUID());
    const ids: string[] = [];
    for (const event of story) ids.push(await append(event));
    t.same(ids.toSorted(compareIds), ids);
    const first = await outbox.read(BEGINNING, 4, 1);
    const rest = await outbox.read(first.at(-1)?.id ?? "", 100, 1);
    t.same([first.length, rest.length], [4, 2]);
    const events = [...first, ...rest].map(eventOf);
    t.same(
      events,
      story.map((event, at) => ({ ...event, outbox_id: ids[at] })),
    );
    t.match(await outbox.state(), { length: 6 });
    await archived.remove(ids);
  });

  t.test("an end without a winner has nulls", async (t) => {
    const [opened, ended] = aStory(0, randomUUID());
    if (!opened || !ended) return t.fail("there is no story");
    const ids = [await append(opened), await append(ended)];
    const entries = await outbox.read(BEGINNING, 10, 1);
    t.match(entries.map(eventOf)[1], { type: "ended", seq: 0, bid_id: null, bidder_id: null, amount: null });
    await archived.remove(ids);
  });

  t.test(
    "exactly what is named is removed, more than once as well, and the rest stays in its place",
    async (t) => {
      const ids: string[] = [];
      for (const event of aStory(3)) ids.push(await append(event));
      const [a = "", b = "", c = "", d = "", e = ""] = ids;
      await archived.remove([b, d]);
      await archived.remove([b, d, "1-1"]);
      await archived.remove([]);
      t.same(
        (await outbox.read(BEGINNING, 10, 1)).map(({ id }) => id),
        [a, c, e],
      );
      t.same(
        (await outbox.read(b, 10, 1)).map(({ id }) => id),
        [c, e],
        "one may go on after an entry that is gone",
      );
      await archived.remove([a, c, e]);
      t.match(await outbox.state(), { length: 0, oldestAgeMs: 0 });
      t.same(await outbox.read(BEGINNING, 10, 1), []);
    },
  );

  t.test("reading waits for what is to come, for so long", async (t) => {
    const began = performance.now();
    t.same(await outbox.read(BEGINNING, 10, 50), []);
    t.ok(performance.now() - began >= 45);
    const reading = outbox.read(BEGINNING, 10, 20_000);
    const [opened] = aStory(0);
    if (!opened) return t.fail("there is no story");
    const id = await append(opened);
    t.same(
      (await reading).map((entry) => entry.id),
      [id],
    );
    await archived.remove([id]);
  });

  t.test("of two one has the lease, until it ends it or lets it go", async (t) => {
    const [one, two] = [randomUUID(), randomUUID()];
    t.ok(await lease.hold(one, 60_000));
    t.notOk(await lease.hold(two, 60_000));
    t.ok(await lease.hold(one, 60_000));
    await lease.end(two);
    t.notOk(await lease.hold(two, 60_000));
    await lease.end(one);
    t.ok(await lease.hold(two, 50));
    await waitFor("it to end by itself", () => lease.hold(one, 60_000));
    await lease.end(one);
  });
}
