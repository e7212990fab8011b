import { randomUUID } from "node:crypto";
import { createMetrics, DependencyUnavailable } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { MemoryAuctions } from "../../src/adapters/memory-auctions.ts";
import { MemoryEndTimers } from "../../src/adapters/memory-end-timers.ts";
import type { EndTimers } from "../../src/domain/ends.ts";
import { startAnnouncer } from "../../src/gateway/announcer.ts";

function world(t: Test, timers: EndTimers = new MemoryEndTimers(), sweepMs = 60_000) {
  const auctions = new MemoryAuctions();
  const metrics = createMetrics("test");
  const announcer = startAnnouncer({ auctions, timers, metrics, logger: silentLogger(), sweepMs });
  t.teardown(() => announcer.stop());
  const open = async (ms: number) => {
    const auctionId = randomUUID();
    const endsAt = Date.now() + auctions.clockAheadMs + ms;
    const creation = await auctions.create({
      auctionId,
      item: "x",
      startingPrice: 1,
      minIncrement: 1,
      endsAt,
    });
    if (creation.kind !== "created") throw new Error(creation.kind);
    announcer.onCreated(creation.auction);
    return auctionId;
  };
  const ended = () => auctions.outbox.filter(({ type }) => type === "ended");
  const announced = async (by: string) => {
    const metric = await metrics.registry.getSingleMetric("bidding_ends_announced_total")?.get();
    return metric?.values.find(({ labels }) => labels.by === by)?.value ?? 0;
  };
  return { auctions, open, ended, announced, metrics, announcer };
}

t.test("the end is told once, with its winner, when its time has come", async (t) => {
  const { auctions, open, ended, announced } = world(t);
  const auctionId = await open(1000);
  const bidId = randomUUID();
  await auctions.bid({ auctionId, bidId, bidderId: "b", amount: 5 }, true);
  await waitFor("its end", () => ended().length > 0);
  t.match(ended(), [{ auction_id: auctionId, seq: 1, bid_id: bidId, bidder_id: "b", amount: 5 }]);
  t.equal(await announced("timer"), 1);
});

t.test("a timer that comes too early by Redis's clock is set again", async (t) => {
  const { auctions, open, ended } = world(t);
  await open(40);
  auctions.clockAheadMs = -100;
  await waitFor("its end", () => ended().length === 1);
  t.ok(Date.now() - 100 >= (ended()[0]?.at ?? Number.POSITIVE_INFINITY) - 20);
});

t.test("an end whose timer is lost, or could not be set, is found", async (t) => {
  const lost: EndTimers = {
    async set() {
      throw new DependencyUnavailable("out");
    },
    start() {},
    async stop() {},
  };
  const { open, ended, announced } = world(t, lost, 20);
  await open(200);
  await waitFor("its end", () => ended().length === 1);
  t.equal(await announced("sweep"), 1);
});

t.test("one that cannot be closed does not keep the others open", async (t) => {
  const closed: string[] = [];
  const announcer = startAnnouncer({
    auctions: {
      due: async () => ["broken", "whole"],
      close: async (id) => {
        if (id === "broken") throw new Error("It is no hash");
        closed.push(id);
        return { kind: "already" };
      },
    },
    timers: new MemoryEndTimers(),
    logger: silentLogger(),
    metrics: createMetrics("test"),
    sweepMs: 20,
  });
  t.teardown(() => announcer.stop());
  await waitFor("the other one to be closed", () => closed.includes("whole"));
});

t.test("while Redis is away it tries on", async (t) => {
  const { auctions, open, ended } = world(t, undefined, 20);
  await open(30);
  auctions.broken = "out";
  const until = Date.now() + 100;
  await waitFor("the end to have passed", () => Date.now() > until);
  t.equal(ended().length, 0);
  auctions.broken = undefined;
  await waitFor("its end", () => ended().length === 1);
});
