/**
 * Announces the ends of auctions: a timer for each calls the script that decides, by Redis's clock, whether it is over. A
 * timer that comes too early is set again; an end whose timer was lost is found by looking, every few seconds, for those that are due.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable, type Logger, type Metrics } from "@parallax/service";
import type { Auction } from "../domain/auction.ts";
import type { EndTimers } from "../domain/ends.ts";
import type { Auctions } from "../domain/ports.ts";

export interface AnnouncerParts {
  readonly auctions: Pick<Auctions, "close" | "due">;
  readonly timers: EndTimers;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds between two looks for ends that are due; 5 s by default. */
  readonly sweepMs?: number;
}

export interface Announcer {
  /** To be told of each new auction. It waits for nothing and never fails: what cannot be timed now is found when it is due. */
  onCreated(auction: Pick<Auction, "auctionId" | "createdAt" | "endsAt">): void;
  stop(): Promise<void>;
}

const SWEEP_MS = 5000;
const AT_ONCE = 100;
/** After the end, so that the first call does not come a moment too early. */
const LATE_MS = 5;
/** No timer runs for longer: it is set again then. */
const MOST_MS = 24 * 60 * 60 * 1000;

export function startAnnouncer(parts: AnnouncerParts): Announcer {
  const { auctions, timers, logger, metrics, sweepMs = SWEEP_MS } = parts;
  const stopping = new AbortController();
  const { signal } = stopping;
  const announced = metrics.counter(
    "bidding_ends_announced_total",
    "Ends of auctions announced, by what found them.",
    ["by"],
  );
  const untimed = metrics.counter(
    "bidding_ends_untimed_total",
    "Auctions whose end has no timer; it is found when due.",
  );

  /** @returns milliseconds that are left */
  async function close(auctionId: string, by: "timer" | "sweep"): Promise<number | undefined> {
    const closing = await auctions.close(auctionId);
    if (closing.kind === "early") return timed(closing.leftMs);
    if (closing.kind === "announced") {
      announced.inc({ by });
      logger.info({ auction_id: auctionId, by }, "auction ended");
    }
    return undefined;
  }

  async function sweep(): Promise<void> {
    while (!signal.aborted) {
      try {
        for (const auctionId of await auctions.due(AT_ONCE)) {
          signal.throwIfAborted();
          await close(auctionId, "sweep").catch((error: unknown) => {
            if (isOutage(error)) throw error;
            // One that cannot be closed must not keep those behind it open.
            logger.error({ err: error, auction_id: auctionId }, "this auction cannot be closed");
          });
        }
      } catch (error) {
        if (!signal.aborted && !isOutage(error))
          logger.error({ err: error }, "looking for ended auctions failed");
      }
      await sleep(sweepMs, undefined, { signal }).catch(() => {});
    }
  }

  timers.start((auctionId) => close(auctionId, "timer"));
  const sweeping = sweep();
  return {
    onCreated({ auctionId, createdAt, endsAt }) {
      // Both by Redis's clock; this machine's may be another.
      void timers.set(auctionId, timed(endsAt - createdAt)).catch((error: unknown) => {
        untimed.inc();
        logger.warn({ err: error, auction_id: auctionId }, "the end of this auction has no timer");
      });
    },
    async stop() {
      stopping.abort(new Error("The gateway is stopping"));
      await Promise.all([sweeping, timers.stop()]);
    },
  };
}

function timed(leftMs: number): number {
  return Math.min(leftMs + LATE_MS, MOST_MS);
}

/** An outcome that is not known is one too: closing once more does no harm. */
function isOutage(error: unknown): boolean {
  return (
    error instanceof DependencyUnavailable || (error as { code?: unknown } | null)?.code === "OUTCOME_UNKNOWN"
  );
}
