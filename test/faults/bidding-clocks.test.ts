/** Gateways whose clocks are wrong, and lost timers: when an auction ends is decided by Redis's clock alone, and it is told once. */

import { fileURLToPath } from "node:url";
import { waitFor } from "@parallax/testkit";
import { Queue } from "bullmq";
import t, { type Test } from "tap";
import { subjectOf } from "../../services/bidding/src/adapters/event-stream.ts";
import { decodeEvent } from "../../services/bidding/src/domain/events.ts";
import { BiddingWitness } from "../lib/faults/bidding/bidding-witness.ts";
import { WiredBidding } from "../lib/faults/bidding/wired-bidding.ts";
import { metricOf } from "../lib/faults/service-signs.ts";

const BIDDERS = 12;
/** Until an auction ends. */
const SECONDS = 6;

t.setTimeout(600_000);

const lab = await WiredBidding.start(t);
const { runtime } = lab;
const loader = fileURLToPath(new URL("../lib/faults/bidding/skew-clock.ts", import.meta.url));
const skewed = (seconds: number) => ({
  NODE_OPTIONS: `--import=file://${loader}`,
  SKEW_MS: String(seconds * 1000),
});

interface Ending {
  readonly ended_at: Date;
  readonly final_seq: string;
  readonly winning_bid_id: string;
  readonly winner_bidder_id: string;
  readonly winning_amount: string;
}

/** Bids through the end, and what must be true of it whatever clocks say. */
async function bidThroughTheEnd(t: Test, witness: BiddingWitness, fault: string): Promise<void> {
  const { bidders, auctionId, endsAt } = witness;
  await using told = await listen(auctionId);
  await bidders.storm(BIDDERS).over;
  const ending = await waitFor(
    "the end to be archived",
    async () => {
      const [row] = await lab.sql<Ending>("select * from bidding.auctions where auction_id = $1", [
        auctionId,
      ]);
      return row?.ended_at ? row : undefined;
    },
    20_000,
  );
  const { first410, last201 } = bidders;
  if (!last201 || !first410) throw new Error("The end was not seen from both sides");
  t.ok(
    last201.sentAt < endsAt,
    `the last accepted bid was sent ${endsAt - last201.sentAt} ms before the end`,
  );
  t.ok(first410.answeredAt >= endsAt, `the first 410 came ${first410.answeredAt - endsAt} ms after the end`);
  t.ok(ending.ended_at.getTime() >= endsAt, "it was not told too early");
  const [archived] = await lab.sql<{ late: number }>(
    "select count(*)::int as late from bidding.bids where auction_id = $1 and placed_at >= $2",
    [auctionId, new Date(endsAt)],
  );
  t.equal(archived?.late, 0, "each accepted bid is older than the end, by Redis's clock");
  const auction = await lab.api.findAuction(auctionId);
  t.match(auction, {
    status: "ended",
    seq: Number(ending.final_seq),
    highest: Number(ending.winning_amount),
    bid_id: ending.winning_bid_id,
    bidder_id: ending.winner_bidder_id,
  });
  await waitFor("the watchers to be told", () =>
    witness.watchers.seen().watchers.every(({ ended }) => ended),
  );
  const count = await witness.holds(t, fault);
  t.equal(count.archived, Number(ending.final_seq));
  t.equal(told.ends(), 1, "it was told once");
}

/** Hears what is told of an auction. */
async function listen(auctionId: string) {
  const closing = Promise.withResolvers<void>();
  const listening = Promise.withResolvers<void>();
  // By its number in the outbox: a relay that lost patience tells what it had told already, and the stream alone takes it once.
  const ends = new Set<string>();
  const done = lab.jetStream(async (_, connection) => {
    connection.subscribe(subjectOf(auctionId), {
      callback: (_, message) => {
        const event = decodeEvent(message.string());
        if (event.type === "ended") ends.add(message.headers?.get("Nats-Msg-Id") ?? "");
      },
    });
    await connection.flush();
    listening.resolve();
    await closing.promise;
  });
  await Promise.race([listening.promise, done]);
  return {
    ends: () => ends.size,
    async [Symbol.asyncDispose]() {
      closing.resolve();
      await done;
    },
  };
}

for (const seconds of [5, -5]) {
  const how = seconds > 0 ? "ahead" : "behind";

  t.test(
    `a gateway's clock is 5 s ${how}, another one's is right; bids at both through the end`,
    async (t) => {
      const right = await lab.another(t, "bidding-gateway-1");
      const before = Date.now();
      await runtime.configure("bidding-gateway-1", skewed(seconds));
      const begun = (await startOf(lab.gatewayUrl)) - seconds * 1000;
      t.ok(begun > before - 1500 && begun < Date.now() + 1500, "it is");
      const witness = await BiddingWitness.begin(t, lab, {
        seconds: SECONDS,
        gateways: [lab.gatewayUrl, right.url],
      });
      await bidThroughTheEnd(t, witness, `clock-${how}-beside-a-right-one`);
    },
  );

  t.test(`the timer was set by a right clock, and fires by one that is 5 s ${how}`, async (t) => {
    const right = await lab.another(t, "bidding-gateway-1");
    await runtime.configure("bidding-gateway-1", skewed(seconds));
    const witness = await BiddingWitness.begin(t, lab, { seconds: SECONDS + 4, openedAt: right.url });
    right.signal("SIGTERM");
    t.equal((await right.ended).code, 0);
    await bidThroughTheEnd(t, witness, `timer-${how}`);
  });

  t.test(`whether an end is in the future is not for a clock to say that is 5 s ${how}`, async (t) => {
    const now = await lab.redisTime();
    const open = (endsInMs: number) =>
      fetch(`${lab.gatewayUrl}/auctions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          item: "a lamp",
          starting_price: 1,
          min_increment: 1,
          ends_at: new Date(now + endsInMs).toISOString(),
        }),
      });
    const future = await open(3000);
    t.equal(future.status, 201);
    await future.arrayBuffer();
    const past = await open(-1);
    t.equal(past.status, 422);
    t.match(await past.json(), { errors: [{ field: "ends_at" }] });
  });
}

t.test("the timer is lost: the end is found by looking for it", async (t) => {
  await runtime.configure("bidding-gateway-1", {});
  const bySweep = () => metricOf(lab.gatewayUrl, "bidding_ends_announced_total", 'by="sweep"');
  const before = await bySweep();
  const witness = await BiddingWitness.begin(t, lab, { seconds: SECONDS });
  const { hostname, port } = new URL(runtime.endpoint("redis"));
  const queue = new Queue("ends", {
    prefix: "{bidding}:bull",
    connection: { host: hostname, port: Number(port) },
    skipVersionCheck: true,
  });
  t.teardown(() => queue.close());
  await waitFor("the timer to be set", async () => (await queue.getJob(witness.auctionId)) !== undefined);
  t.equal(await queue.remove(witness.auctionId), 1, "it is gone");
  await bidThroughTheEnd(t, witness, "timer-lost");
  t.equal((await bySweep()) - before, 1);
});

/** When it was started, by its own clock, in whole seconds as milliseconds since the epoch. */
async function startOf(url: string): Promise<number> {
  return (await metricOf(url, "process_start_time_seconds")) * 1000;
}
