/** The public API of bidding, as a client uses it. Answers are checked, since verdicts rest on them. */

import { Pool } from "undici";
import { z } from "zod";
import { hasPart } from "../../runtimes/has-part.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import { call, PATIENCE, parse, unexpected } from "../json-api.ts";

const auctionSchema = z.object({
  auction_id: z.string(),
  item: z.string(),
  starting_price: z.int(),
  min_increment: z.int(),
  ends_at: z.string(),
  status: z.enum(["open", "ended"]),
  /** Accepted bids so far; 0: none. */
  seq: z.int().min(0),
  highest: z.int().nullable(),
  bidder_id: z.string().nullable(),
  bid_id: z.string().nullable(),
  /** Beyond the largest amount when that has been bid. */
  least: z.number(),
});

const archivedBidSchema = z.object({
  seq: z.int(),
  bid_id: z.string(),
  bidder_id: z.string(),
  amount: z.int(),
});

/** The cursor of a page goes into the question for the next one as it is. */
const cursorSchema = z.union([z.string(), z.int()]).transform(String).nullable();
const pageSchema = z.object({ bids: z.array(archivedBidSchema), next_cursor: cursorSchema });

const answerSchema = z.object({
  bid_id: z.string().optional(),
  seq: z.int().optional(),
  amount: z.int().optional(),
  highest: z.int().nullable().optional(),
  least: z.number().optional(),
});

export type FoundAuction = z.output<typeof auctionSchema>;
export type ArchivedBid = z.output<typeof archivedBidSchema>;
export type ArchivePage = z.output<typeof pageSchema>;

export interface ArchivePageOptions {
  readonly limit?: number | undefined;
  /** That of the page before. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface NewAuction {
  readonly item: string;
  readonly starting_price: number;
  readonly min_increment: number;
  /** ISO 8601. */
  readonly ends_at: string;
}

export interface NewBid {
  readonly bidder_id: string;
  readonly amount: number;
  /** UUID; the same one again is the same bid. */
  readonly bid_id?: string;
}

/** What a bid was answered, whatever it was. */
export type BidAnswer = { readonly status: number } & z.output<typeof answerSchema>;

const CONNECTIONS = 8;
const PAGE = 1000;

/** @throws LabError COMMAND_FAILED when a service does not answer as documented */
export class BiddingApi implements AsyncDisposable {
  readonly #gateway: Pool;
  /** Origin that bids go to. */
  readonly url: string;
  /** Origin of the live prices, with http. */
  readonly liveUrl: string;

  /** Those of the lab that runs. */
  static of(runtime: Pick<Runtime, "endpoint">): BiddingApi {
    return new BiddingApi({
      gateway: runtime.endpoint(biddingTarget(runtime)),
      live: runtime.endpoint("bidding-broadcaster"),
    });
  }

  constructor({ gateway, live }: { readonly gateway: string; readonly live: string }) {
    this.url = new URL(gateway).origin;
    this.liveUrl = new URL(live).origin;
    this.#gateway = new Pool(this.url, { connections: CONNECTIONS, ...PATIENCE });
  }

  async createAuction(auction: NewAuction): Promise<FoundAuction> {
    const answer = await call(this.#gateway, "POST", "/auctions", { body: auction });
    if (answer.status !== 201) throw unexpected("POST /auctions", answer);
    return parse(auctionSchema, "POST /auctions", answer);
  }

  /** As Redis has it; undefined for one that is unknown. */
  async findAuction(auctionId: string): Promise<FoundAuction | undefined> {
    const path = `/auctions/${encodeURIComponent(auctionId)}`;
    const answer = await call(this.#gateway, "GET", path);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw unexpected(`GET ${path}`, answer);
    return parse(auctionSchema, `GET ${path}`, answer);
  }

  /** The newest first, at most `limit` of them. */
  async newestAuctions(limit: number): Promise<readonly FoundAuction[]> {
    const answer = await call(this.#gateway, "GET", `/auctions?limit=${limit}`);
    if (answer.status !== 200) throw unexpected("GET /auctions", answer);
    return parse(z.object({ auctions: z.array(auctionSchema) }), "GET /auctions", answer).auctions;
  }

  /** Resolves with any answer, also a refusal. */
  async bid(auctionId: string, bid: NewBid, signal?: AbortSignal): Promise<BidAnswer> {
    const path = `/auctions/${encodeURIComponent(auctionId)}/bids`;
    const answer = await call(this.#gateway, "POST", path, { body: bid, signal });
    const { status } = answer;
    // What it is about matters only of these; a load balancer's own errors are no JSON.
    if (status !== 201 && status !== 409) return { status };
    return { ...parse(answerSchema, `POST ${path}`, answer), status };
  }

  /** The archive's bids, newest first, page by page: an archive may be larger than memory. */
  async *archivedBids(auctionId: string, signal?: AbortSignal): AsyncGenerator<readonly ArchivedBid[]> {
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: ArchivePage = await this.archivePage(auctionId, { cursor, signal });
      yield page.bids;
      cursor = page.next_cursor;
    }
  }

  /** The newest bid that the archive has; 0: none. */
  async newestArchived(auctionId: string): Promise<number> {
    return (await this.archivePage(auctionId, { limit: 1 })).bids[0]?.seq ?? 0;
  }

  /** One page, newest first; the first one without a cursor. */
  async archivePage(
    auctionId: string,
    { limit = PAGE, cursor = "", signal }: ArchivePageOptions = {},
  ): Promise<ArchivePage> {
    const path = `/auctions/${encodeURIComponent(auctionId)}/bids`;
    const query = new URLSearchParams({ limit: String(limit), ...(cursor !== "" && { cursor }) });
    const answer = await call(this.#gateway, "GET", `${path}?${query}`, { signal });
    if (answer.status !== 200) throw unexpected(`GET ${path}`, answer);
    return parse(pageSchema, `GET ${path}`, answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway.destroy();
  }
}

/** The part that bids go to: the load balancer where there is one, else the only gateway. */
export function biddingTarget(runtime: Pick<Runtime, "endpoint">): string {
  return hasPart(runtime, "bidding-balancer") ? "bidding-balancer" : "bidding-gateway-1";
}
