/**
 * Whatever events are lost, late or repeated, however readings of Redis overlap with them, and whatever Redis loses: within a connection seq
 * never goes back, and after one more reading everybody who is connected has been told what is in Redis.
 */

import { createMetrics } from "@parallax/service";
import fc from "fast-check";
import t from "tap";
import { Channel } from "../../../src/broadcaster/live/channel.ts";
import {
  type LiveMessage,
  liveMessageSchema,
  type Observed,
} from "../../../src/broadcaster/live/messages.ts";
import { createLiveMetrics } from "../../../src/broadcaster/live/metrics.ts";
import type { Watcher } from "../../../src/broadcaster/live/watcher.ts";
import type { AuctionState } from "../../../src/domain/auction.ts";
import type { AuctionEvent } from "../../../src/domain/events.ts";
import { anAuction, endEvent } from "../stage.ts";

const none = { watchers: 0, auctions: 0, bufferedBytes: 0, feedConnected: true };
const metrics = createLiveMetrics(createMetrics("test"), () => none);

/** A watcher that keeps what it is sent. */
class Kept {
  told: object | undefined;
  readonly messages: LiveMessage[] = [];
  isOpen = true;
  send(frame: Buffer): boolean {
    if (!this.isOpen) return false;
    const text = frame.subarray(frame[1] === 126 ? 4 : 2).toString();
    this.messages.push(liveMessageSchema.parse(JSON.parse(text)));
    return true;
  }
  close(): void {
    this.isOpen = false;
  }
}

/** Redis, and what it has told: events that may arrive at any time, or never. */
class World {
  redis: AuctionState = anAuction();
  readonly told: AuctionEvent[] = [];
  #bids = 0;

  bid(): void {
    if (this.redis.status === "ended") return;
    this.#bids += 1;
    const { auctionId, seq } = this.redis;
    const bidId = `00000000-0000-4000-8000-${String(this.#bids).padStart(12, "0")}`;
    const amount = 1000 + this.#bids;
    this.redis = { ...this.redis, seq: seq + 1, highest: { amount, bidId, bidderId: "ann" } };
    this.told.push({
      type: "bid",
      auction_id: auctionId,
      at: 0,
      outbox_id: `${this.#bids}-0`,
      seq: seq + 1,
      bid_id: bidId,
      bidder_id: "ann",
      amount,
    });
  }

  end(): void {
    if (this.redis.status === "ended") return;
    this.redis = { ...this.redis, status: "ended" };
    this.told.push(endEvent(this.redis));
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: "bid" } as const) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("hear" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.constant({ kind: "begin reading" } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: "end reading" } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: "watch" } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "end" } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "save" } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "lose" } as const) },
);

/** A reading that knows of the end, and not of a bid that was told while it was under way and is lost. */
const overtaken = [
  { kind: "watch" },
  { kind: "bid" },
  { kind: "save" },
  { kind: "bid" },
  { kind: "lose" },
  { kind: "end" },
  { kind: "begin reading" },
  { kind: "hear", which: 1 },
  { kind: "end reading" },
] as const;

t.test("property: never back, and in the end as in Redis", async (t) => {
  let contradictions = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      const channel = new Channel(world.redis.auctionId, 0, metrics);
      const watchers: Kept[] = [];
      let saved = world.redis;
      let reading: { of: AuctionState; before: Observed | undefined } | undefined;
      const read = (of: AuctionState, before: Observed | undefined) => {
        if (channel.read({ ...of, at: 0 }, before) === "contradiction") contradictions += 1;
      };
      read(world.redis, undefined);
      for (const each of steps) {
        if (each.kind === "bid") world.bid();
        else if (each.kind === "end") world.end();
        else if (each.kind === "save") saved = world.redis;
        // As after a crash: what was acknowledged since is gone, though it has been told. The time is not.
        else if (each.kind === "lose") world.redis = { ...saved, status: world.redis.status };
        else if (each.kind === "hear") {
          const event = world.told[each.which % Math.max(1, world.told.length)];
          if (event) channel.hear(event);
        } else if (each.kind === "begin reading") reading = { of: world.redis, before: channel.state };
        else if (each.kind === "end reading") {
          if (reading) read(reading.of, reading.before);
          reading = undefined;
        } else {
          const watcher = new Kept();
          channel.add(watcher as unknown as Watcher);
          watchers.push(watcher);
        }
      }
      read(world.redis, channel.state);
      for (const { messages, isOpen } of watchers) {
        if (messages.some(({ seq }, at) => seq < (messages[at - 1]?.seq ?? 0))) return false;
        const last = messages.at(-1);
        const { seq, highest, status } = world.redis;
        if (isOpen && (last?.seq !== seq || last.highest !== (highest?.amount ?? null))) return false;
        const ended = messages.some(
          (each) => each.type === "ended" || ("status" in each && each.status === "ended"),
        );
        if (isOpen && ended !== (status === "ended")) return false;
      }
      return true;
    }),
    { numRuns: 2000, examples: [[[...overtaken]]] },
  );
  t.ok(contradictions > 0, "losses were among them");
});
