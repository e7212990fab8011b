/**
 * The broadcaster as shipped, on an auction in memory with a steady stream of bids: broadcaster.ts <hz> <bids a second> <most buffered
 * bytes>. A bidder's name begins with when the bid was told (performance's clock, absolute) and is as long as may be.
 * `POST /burst?bids=` tells so many at once and answers with what waits for watchers.
 */

import { createLogger, createMetrics, listen } from "@parallax/service";
import { MemoryAuctionReader, MemoryPriceFeed } from "../../services/bidding/src/adapters/memory-live.ts";
import { createBroadcaster } from "../../services/bidding/src/broadcaster/app.ts";
import { createForwarder } from "../../services/bidding/src/broadcaster/forward.ts";
import { Broadcast } from "../../services/bidding/src/broadcaster/live/broadcast.ts";
import { createLiveMetrics } from "../../services/bidding/src/broadcaster/live/metrics.ts";
import { createUpgrade } from "../../services/bidding/src/broadcaster/live/upgrade.ts";
import { loadPages } from "../../services/bidding/src/broadcaster/pages.ts";
import type { AuctionState } from "../../services/bidding/src/domain/auction.ts";

export const AUCTION_ID = "01900000-0000-7000-8000-000000000001";
const TICK_MS = 5;

if (import.meta.main) {
  const [hz = 20, rate = 500, mostBufferedBytes = 1024 ** 2] = process.argv.slice(2).map(Number);
  await serve(hz, rate, mostBufferedBytes);
}

async function serve(hz: number, rate: number, mostBufferedBytes: number): Promise<void> {
  const logger = createLogger({ name: "bidding-broadcaster", level: "info" });
  const metrics = createMetrics("bidding-broadcaster");
  const reader = new MemoryAuctionReader();
  const feed = new MemoryPriceFeed();
  const broadcast = new Broadcast({
    reader,
    feed,
    logger,
    metrics: (figures) => createLiveMetrics(metrics, figures),
    hz,
    pingSeconds: 25,
    reconcileSeconds: 1,
  });
  const parts = { broadcast, logger, allowedOrigins: [], mostWatchers: 20_000, mostBufferedBytes };
  const upgrade = createUpgrade(parts);
  const forwarder = createForwarder({ url: "http://127.0.0.1:1" });
  const app = createBroadcaster({ reader, forwarder, pages: await loadPages(), logger, metrics });

  let state: AuctionState = {
    auctionId: AUCTION_ID,
    item: "A lamp",
    startingPrice: 1,
    minIncrement: 1,
    createdAt: Date.now(),
    endsAt: Date.now() + 86_400_000,
    status: "open",
    seq: 0,
    highest: null,
  };
  reader.set(state);

  function bid(): void {
    const seq = state.seq + 1;
    const amount = 1_000_000 + seq;
    const bidId = `00000000-0000-4000-8000-${String(seq).padStart(12, "0")}`;
    const bidderId = (performance.timeOrigin + performance.now()).toFixed(3).padEnd(64, " ");
    state = { ...state, seq, highest: { amount, bidId, bidderId } };
    reader.set(state);
    feed.tell({
      type: "bid",
      auction_id: AUCTION_ID,
      at: Date.now(),
      outbox_id: `${seq}-0`,
      seq,
      bid_id: bidId,
      bidder_id: bidderId,
      amount,
    });
  }

  const server = await listen(
    (request, response) => {
      const [, bids] = /^\/burst\?bids=(\d+)$/.exec(request.url ?? "") ?? [];
      if (bids === undefined) return app.callback(request, response);
      for (let n = 0; n < Number(bids); n += 1) bid();
      response.end(JSON.stringify({ ...broadcast.figures, memory: process.memoryUsage() }));
    },
    { host: "127.0.0.1", port: 0, upgrade },
  );
  let due = performance.now();
  setInterval(() => {
    for (const now = performance.now(); due <= now; due += 1000 / rate) bid();
  }, TICK_MS);
  console.log(server.url);
}
