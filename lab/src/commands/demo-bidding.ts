/** The bidding system's step of the demo: one auction, watched live from its first bid to its end, and found in the archive. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { CliContext } from "../cli/context.ts";
import { LabError } from "../cli/lab-error.ts";
import { BiddingApi, biddingTarget } from "../experiments/bidding/bidding-api.ts";
import { type LiveMessage, Watchers } from "../experiments/bidding/watchers.ts";
import type { Runtime } from "../runtimes/runtime.ts";

/** For people who read along, and some slack: all that is done before takes a fraction of it. */
const OPEN_MS = 6_000;
const POLL_MS = 50;
/** Longer than a gateway takes to find the end of an auction whose timer was lost. */
const PATIENCE_MS = 30_000;

interface Stage extends Pick<CliContext, "output" | "signal"> {
  readonly api: BiddingApi;
  readonly auctionId: string;
  /** What the watcher was told so far, the last one last. */
  readonly told: readonly LiveMessage[];
  /** Prints what has happened, with the seconds since the auction was opened. */
  tell(what: string): void;
}

export async function showBidding(runtime: Runtime, context: CliContext): Promise<void> {
  const { output, signal } = context;
  await using api = BiddingApi.of(runtime);
  const door = biddingTarget(runtime) === "bidding-balancer" ? "the load balancer" : "the gateway";
  output.line();
  output.line(output.paint("bold", "One auction, from its first bid to its end"));
  const began = performance.now();
  const tell = (what: string) => output.line(`  ${seconds(performance.now() - began)}  ${what}`);
  const { auction_id, least } = await api.createAuction({
    item: "a brass telescope",
    starting_price: 10_000,
    min_increment: 500,
    ends_at: new Date(Date.now() + OPEN_MS).toISOString(),
  });
  tell(
    `201 opened by ${door}: a brass telescope, from ${money(least)}, each bid at least ${money(500)} more`,
  );
  output.line(`           watch it: ${api.liveUrl}/auctions/${auction_id}`);
  const told: LiveMessage[] = [];
  await using _watcher = await Watchers.connect({
    url: api.liveUrl,
    auctionId: auction_id,
    count: 1,
    signal,
    onMessage: (message) => told.push(message),
  });
  tell("live: a watcher is connected, and nobody has bid yet");
  const stage = { api, auctionId: auction_id, told, tell, output, signal };
  await showBids(stage);
  await showEnd(stage);
  await showArchive(stage);
}

/** One accepted, one too low, one higher. */
async function showBids(stage: Stage): Promise<void> {
  await showAccepted(stage, { bidder_id: "ada", amount: 10_000 }, 1);
  const refused = await bid(stage, { bidder_id: "ben", amount: 10_200 });
  if (refused.status !== 409 || refused.least === undefined) throw unexpected("The low bid", refused.status);
  stage.tell(`409 ben's ${money(10_200)} is refused: it takes ${money(refused.least)} by now`);
  await showAccepted(stage, { bidder_id: "ben", amount: 12_000 }, 2);
}

async function showAccepted(
  stage: Stage,
  { bidder_id, amount }: { bidder_id: string; amount: number },
  seq: number,
): Promise<void> {
  const sent = performance.now();
  const answer = await bid(stage, { bidder_id, amount });
  if (answer.status !== 201 || answer.seq !== seq) throw unexpected(`${bidder_id}'s bid`, answer.status);
  const took = Math.round(performance.now() - sent);
  stage.tell(`201 ${bidder_id} bids ${money(amount)}: accepted as number ${seq}, in ${took} ms`);
  const shown = await until(stage, "the price to be shown live", () =>
    stage.told.find((message) => message.seq >= seq),
  );
  stage.tell(`live: ${money(shown.highest ?? 0)}`);
}

/** Nobody has to ask for it: Redis's clock ends the auction, and the watcher is told. */
async function showEnd(stage: Stage): Promise<void> {
  const { api, auctionId, tell } = stage;
  const end = await until(stage, "the end of the auction", () =>
    stage.told.find(({ type }) => type === "ended"),
  );
  const { bidder_id, highest, status } = (await api.findAuction(auctionId)) ?? {};
  if (status !== "ended" || highest !== end.highest) throw unexpected("The ended auction", 200);
  tell(`live: it is over, and goes to ${bidder_id} for ${money(highest ?? 0)}`);
  const late = await bid(stage, { bidder_id: "ada", amount: 99_000 });
  if (late.status !== 410) throw unexpected("The bid after the end", late.status);
  tell(`410 ada's ${money(99_000)} comes too late`);
}

async function showArchive(stage: Stage): Promise<void> {
  const { api, auctionId, tell, output } = stage;
  await until(stage, "the archive", async () => (await api.newestArchived(auctionId)) === 2);
  const pages = await Array.fromAsync(api.archivedBids(auctionId));
  const bids = pages
    .flat()
    .map(({ seq, bidder_id, amount }) => `${seq} ${bidder_id} ${money(amount)}`)
    .reverse();
  tell(`Postgres has the accepted bids, and no other: ${bids.join(", ")}`);
  output.line(`  Look it up: curl ${api.url}/auctions/${auctionId}/bids`);
}

function bid(
  { api, auctionId, signal }: Stage,
  { bidder_id, amount }: { bidder_id: string; amount: number },
) {
  return api.bid(auctionId, { bid_id: randomUUID(), bidder_id, amount }, signal);
}

async function until<T>(
  { signal }: Stage,
  what: string,
  condition: () => T | false | undefined | Promise<T | false | undefined>,
): Promise<T> {
  const late = performance.now() + PATIENCE_MS;
  while (performance.now() < late) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new LabError("COMMAND_FAILED", `The demo has waited ${PATIENCE_MS / 1000} s for ${what}.`, {
    remedy: "See `make status` and `make logs`.",
  });
}

/** For an answer that the rules of an auction do not allow. */
function unexpected(what: string, status: number): LabError {
  return new LabError("VERDICT_BROKEN", `${what} was answered ${status}, against the auction's rules.`, {
    remedy: "See `make logs`.",
  });
}

/** Of the smallest unit of a currency, as the live page shows it. */
function money(amount: number): string {
  return amount.toLocaleString("en");
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(2)} s`.padStart(7);
}
